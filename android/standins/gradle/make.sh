#!/bin/bash
# make.sh HOME WORK : a Gradle home from dev.gradleplugins:gradle-api, the fat jar of nearly all of Gradle (WORK/parts, filled by ../make.sh).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); home=$1 work=$2; jars=$work/parts v=8.11.1
rm -rf "$home"; mkdir -p "$home"/{bin,init.d,lib/plugins} "$work"/{tools,client,javac-plugin}
cp "$jars"/{groovy,kotlin,ant}*.jar "$home/lib/"

# 1. the body: the fat jar, with the test frameworks' names put right (Unshade.java)
asm=$jars/asm-9.7.jar:$jars/asm-commons-9.7.jar:$jars/asm-tree-9.7.jar
javac -cp "$asm" -d "$work/tools" "$here/Unshade.java"
java -cp "$asm:$work/tools" Unshade "$jars/gradle-api-$v.jar" "$home/lib/gradle-body.jar"

# 2. one tiny jar per Gradle module, which names its dependencies and rides on the body
python3 "$here/modules.py" "$jars/gradle-api-$v.jar" "$home/lib" "$v"

# 3. what the fat jar lacks: the command line client, the provider of the Kotlin API (client/) and the javac plugin (javac-plugin/)
javac -Xlint:none -proc:none -cp "$home/lib/gradle-body.jar:$jars/groovy-3.0.22.jar" -d "$work/client" "$here"/client/org/gradle/*/*.java
mkdir -p "$work/client/META-INF/services"
echo org.gradle.kotlinapi.KotlinApiSpecProvider > "$work/client/META-INF/services/org.gradle.initialization.GradleApiSpecProvider"
jar --update --file "$home/lib/gradle-gradle-cli-$v.jar" -C "$work/client" .
javac -d "$work/javac-plugin" "$here"/javac-plugin/org/gradle/internal/compiler/java/*.java
jar --update --file "$home/lib/plugins/gradle-java-compiler-plugin-$v.jar" -C "$work/javac-plugin" .

# 4. the command: no daemon, the build runs in this process (its memory: GRADLE_OPTS)
cat > "$home/bin/gradle" <<S
#!/bin/sh
H=\$(cd "\$(dirname "\$(readlink -f "\$0")")/.." && pwd)
exec "\${JAVA_HOME:+\$JAVA_HOME/bin/}java" \${GRADLE_OPTS:--Xmx2g} -Dorg.gradle.appname=gradle --add-opens java.base/java.lang=ALL-UNNAMED --add-opens java.base/java.util=ALL-UNNAMED \\
    -cp "\$H/lib/gradle-gradle-cli-main-$v.jar:\$H/lib/gradle-body.jar" org.gradle.launcher.GradleMain "\$@"
S
chmod +x "$home/bin/gradle"
