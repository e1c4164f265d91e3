#!/usr/bin/env python3
"""modules.py FAT.jar LIB VERSION : the jars of a Gradle home that hold no code.

Gradle looks its modules up as NAME-VERSION.jar with NAME-classpath.properties inside (the fat jar has kept these files).
Each becomes a tiny jar that adds gradle-body.jar to its runtime, and also to Class-Path, because workers take only a module's own jar.
"""
import re
import sys
import zipfile
from pathlib import Path

BODY = "gradle-body.jar"
# modules that other modules name but the fat jar lacks: empty (make.sh fills two of them)
ABSENT = """gradle-installation-beacon gradle-kotlin-dsl-provider-plugins gradle-kotlin-dsl-tooling-builders
gradle-java-compiler-plugin gradle-build-profile gradle-declarative-dsl-tooling-builders gradle-test-kit
gradle-instrumentation-declarations gradle-runtime-api-info""".split()


def jar(path, entries, class_path=""):
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n" + (f"Class-Path: {class_path}\n" if class_path else "") + "\n")
        for name, text in entries.items():
            z.writestr(name, text)


def add(text, key, value):
    """Appends `value` to the list of `key` in a properties text."""
    lines = text.splitlines()
    if not any(line.startswith(key + "=") for line in lines):
        lines.append(key + "=")
    return "".join((line.rstrip(",") + ("" if line.endswith("=") else ",") + value if line.startswith(key + "=") else line) + "\n" for line in lines)


fat, lib, version = zipfile.ZipFile(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
names = set(fat.namelist())
plugins = set()
for f in ("gradle-plugins.properties", "gradle-implementation-plugins.properties"):
    plugins |= set(re.search(r"^plugins=(.*)$", fat.read(f).decode(), re.M).group(1).split(","))

suffix = "-classpath.properties"
modules = {n.removesuffix(suffix): fat.read(n).decode() for n in names if n.startswith("gradle-") and n.endswith(suffix)}
runtime = {r for text in modules.values() for r in re.search(r"^runtime=(.*)$", text + "\nruntime=", re.M).group(1).split(",") if r}
for name in ABSENT:
    modules.setdefault(name, "projects=\nruntime=\n")
modules["gradle-gradle-cli"] = add(modules["gradle-launcher"], "projects", "gradle-launcher")

for name, text in modules.items():
    parameters = f"{name}-parameter-names.properties"
    jar(
        lib / ("plugins" if name in plugins else "") / f"{name}-{version}.jar",
        {name + suffix: add(text, "runtime", BODY), parameters: fat.read(parameters).decode() if parameters in names else ""},
        "../" * (name in plugins) + BODY,
    )
for name in runtime:  # third-party jars: real where we have them, else empty (their classes lie in the body)
    if not (lib / name).exists():
        jar(lib / name, {})
print(len(modules), "modules,", len(runtime), "other jars")
