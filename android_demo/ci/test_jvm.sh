#!/usr/bin/env bash
# Compile core and engine with their tests and run them on the JVM, with the real Java API of ONNX
# Runtime: ci/test_jvm.sh BUNDLE (an ONNX bundle that 'fa-mobile export' wrote). PYTHON, one that has
# fa-mobile installed, is optional: with it Python and Kotlin read each other's files as well. PICTURE is
# optional too, DNG:PNG: the DNG denoised and developed as the app shows it.
set -euo pipefail
HERE="$PWD"
cd "$(dirname "$0")/.."
. ci/downloads.sh

BUNDLE="${1:?give an ONNX bundle: ci/test_jvm.sh dist/imx258-onnx-int8}"
BUNDLE="$(cd "$HERE" && realpath -m "$BUNDLE")"
[ -f "$BUNDLE/model.onnx" ] || die "$BUNDLE holds no model.onnx: give a bundle of 'fa-mobile export --only onnx'"
needs patchelf patchelf
needs python3 python3
needs unzip unzip
fetch_compiler
debian bookworm "$JUNIT"
debian bookworm "$HAMCREST"
unpacked junit sh -c "dpkg -x '$DL/$JUNIT' {} && dpkg -x '$DL/$HAMCREST' {}"
TESTING="$CACHE/x/junit/usr/share/java/junit4.jar:$CACHE/x/junit/usr/share/java/hamcrest.jar"
TESTING="$TESTING:$KOTLIN_HOME/lib/kotlin-test.jar:$KOTLIN_HOME/lib/kotlin-test-junit.jar"

jvm_library() { # the runtime and its JNI library as onnxruntime.native.path wants them
  cp "$CACHE/x/$ORT/Linux/x64/libonnxruntime.so" "$1/libonnxruntime.so"
  cp "$CACHE/x/aar/jni/x86_64/libonnxruntime4j_jni.so" "$1/"
  patchelf --replace-needed libonnxruntime.so libonnxruntime.so.1 --replace-needed libc.so libc.so.6 \
    --remove-needed libm.so --remove-needed libdl.so "$1/libonnxruntime4j_jni.so"
  python3 ci/jvm_library.py "$1/libonnxruntime4j_jni.so"
}
unpacked jvm-onnxruntime jvm_library {}

OUT="$(mktemp -d)"
EXCHANGE="$(mktemp -d)"
trap 'rm -rf "$OUT" "$EXCHANGE"' EXIT
PROPERTIES=("-Dfa.bundle=$BUNDLE" "-Donnxruntime.native.path=$CACHE/x/jvm-onnxruntime")
if [ -n "${PYTHON:-}" ]; then
  "$PYTHON" ci/exchange.py give "$EXCHANGE" "$BUNDLE"
  PROPERTIES+=("-Dfa.exchange=$EXCHANGE")
fi
kotlin -Werror -jvm-target 1.8 -cp "$ORT_JAR:$EXECUTORCH_JAR:$TESTING" -d "$OUT" \
  core/src/main/kotlin core/src/testFixtures/kotlin core/src/test/kotlin engine/src/main/kotlin engine/src/test/kotlin
[ -z "${PICTURE:-}" ] || PROPERTIES+=("-Dfa.picture=$PICTURE")
CLASSES="$(cd "$OUT" && find . -name '*Test.class' | sed 's|^\./||; s|\.class$||; s|/|.|g' | sort)"
java -Xmx1g "${PROPERTIES[@]}" \
  -cp "$OUT:$ORT_JAR:$TESTING:$KOTLIN_HOME/lib/kotlin-stdlib.jar" org.junit.runner.JUnitCore $CLASSES
[ -z "${PYTHON:-}" ] || "$PYTHON" ci/exchange.py check "$EXCHANGE" "$BUNDLE"
