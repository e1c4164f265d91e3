//! Whether a privacy manifest gives reasons for all that Apple wants reasons for and the code uses.
//!
//! The list is at <https://developer.apple.com/documentation/bundleresources/describing-use-of-required-reason-api>.

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;

/// The beginning of a category's name in a manifest.
const PREFIX: &str = "NSPrivacyAccessedAPICategory";

/// What Apple lists together.
struct Category {
    name: &'static str,
    /// Functions in C, as a linker knows them without the underscore.
    functions: &'static [&'static str],
    /// Names that Swift sources use, beside those of the functions.
    swift: &'static [&'static str],
    /// Names that a linker knows of them.
    symbols: &'static [&'static str],
}

const CATEGORIES: [Category; 5] = [
    Category {
        name: "FileTimestamp",
        functions: &[
            "stat",
            "fstat",
            "fstatat",
            "lstat",
            "getattrlist",
            "getattrlistat",
            "getattrlistbulk",
            "fgetattrlist",
        ],
        swift: &[
            "creationDate",
            "modificationDate",
            "fileModificationDate",
            "creationDateKey",
            "contentModificationDate",
            "contentModificationDateKey",
        ],
        symbols: &[
            "NSFileCreationDate",
            "NSFileModificationDate",
            "NSURLCreationDateKey",
            "NSURLContentModificationDateKey",
        ],
    },
    Category { name: "SystemBootTime", functions: &["mach_absolute_time"], swift: &["systemUptime"], symbols: &[] },
    Category {
        name: "DiskSpace",
        functions: &["statfs", "fstatfs", "statvfs", "fstatvfs"],
        swift: &[
            "systemFreeSize",
            "systemSize",
            "volumeAvailableCapacity",
            "volumeAvailableCapacityKey",
            "volumeAvailableCapacityForImportantUsage",
            "volumeAvailableCapacityForImportantUsageKey",
            "volumeAvailableCapacityForOpportunisticUsage",
            "volumeAvailableCapacityForOpportunisticUsageKey",
            "volumeTotalCapacity",
            "volumeTotalCapacityKey",
        ],
        symbols: &[
            "NSFileSystemFreeSize",
            "NSFileSystemSize",
            "NSURLVolumeAvailableCapacityKey",
            "NSURLVolumeAvailableCapacityForImportantUsageKey",
            "NSURLVolumeAvailableCapacityForOpportunisticUsageKey",
            "NSURLVolumeTotalCapacityKey",
        ],
    },
    Category { name: "ActiveKeyboards", functions: &[], swift: &["activeInputModes"], symbols: &[] },
    Category {
        name: "UserDefaults",
        functions: &[],
        swift: &["UserDefaults", "AppStorage"],
        symbols: &["OBJC_CLASS_$_NSUserDefaults"],
    },
];

/// Categories with what made them necessary.
pub type Uses = BTreeMap<&'static str, &'static str>;

/// What the undefined symbols of a library, as `nm -u` lists them, make necessary.
pub fn of_symbols(listed: &str) -> Uses {
    let mut uses = Uses::new();
    // Some print a kind before the name.
    for symbol in listed.lines().filter_map(|line| line.split_whitespace().last()?.strip_prefix('_')) {
        // Variants of a function for larger files.
        let function = symbol.strip_suffix("$INODE64").unwrap_or(symbol);
        for category in &CATEGORIES {
            let functions = category.functions.iter().filter(|name| **name == function);
            let found = functions.chain(category.symbols.iter().filter(|name| **name == symbol));
            uses.extend(found.map(|name| (category.name, *name)));
        }
    }
    uses
}

/// What a Swift source makes necessary.
pub fn of_source(text: &str) -> Uses {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut uses = Uses::new();
    for line in code {
        for (at, word) in words(line) {
            let called = line[at + word.len()..].starts_with('(');
            for category in &CATEGORIES {
                let functions = category.functions.iter().filter(|name| called && **name == word);
                let found = functions.chain(category.swift.iter().filter(|name| **name == word));
                uses.extend(found.map(|name| (category.name, *name)));
            }
        }
    }
    uses
}

/// Names in a line, and where each begins.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let outside = |c: char| !c.is_alphanumeric() && c != '_';
    let start = line.as_ptr() as usize;
    line.split(outside).filter(|word| !word.is_empty()).map(move |word| (word.as_ptr() as usize - start, word))
}

/// Checks a manifest: every category that is used is declared, and each with a reason.
pub fn check(manifest: &str, uses: &Uses) -> Result<()> {
    let declared = declared(manifest)?;
    for (category, name) in uses {
        ensure!(
            declared.contains(category),
            "{name} is used, and the privacy manifest declares no {PREFIX}{category}; give its reason there"
        );
    }
    Ok(())
}

/// The categories that a manifest declares.
fn declared(manifest: &str) -> Result<Vec<&str>> {
    ensure!(manifest.contains("<plist"), "the privacy manifest is no property list");
    let tracking = manifest.split_once("<key>NSPrivacyTracking</key>").context("it does not say NSPrivacyTracking")?.1;
    ensure!(tracking.trim_start().starts_with("<false/>"), "it says that users are tracked");
    let mut entries = manifest.split("<key>NSPrivacyAccessedAPIType</key>");
    entries.next();
    let mut categories = Vec::new();
    for entry in entries {
        let mut strings = entry.split("<string>").skip(1).filter_map(|string| string.split("</string>").next());
        let name = strings.next().and_then(|name| name.strip_prefix(PREFIX)).context("an entry has no category")?;
        if !CATEGORIES.iter().any(|category| category.name == name) {
            bail!("Apple has no category {PREFIX}{name}");
        }
        ensure!(
            strings.next().is_some_and(|reason| reason.contains('.')),
            "{PREFIX}{name} is declared without a reason"
        );
        categories.push(name);
    }
    Ok(categories)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn manifest(entries: &[(&str, &str)]) -> String {
        let entry = |(category, reason): &(&str, &str)| {
            format!(
                "<dict><key>NSPrivacyAccessedAPIType</key>\n<string>{category}</string>\n\
                 <key>NSPrivacyAccessedAPITypeReasons</key>\n<array>{reason}</array></dict>"
            )
        };
        let entries: String = entries.iter().map(entry).collect();
        format!("<plist><dict><key>NSPrivacyTracking</key>\n<false/>{entries}</dict></plist>")
    }

    fn said(entries: &[(&str, &str)], uses: &Uses) -> String {
        check(&manifest(entries), uses).map_or_else(|error| format!("{error:#}"), |()| "passed".into())
    }

    #[test]
    fn symbols_are_sorted_into_apples_categories() {
        let listed = "libkinglet_ffi.a(std.o):\n                 U _stat$INODE64\n_memcpy\n_statically\n_fstatfs\n";
        assert_eq!(of_symbols(listed), Uses::from([("FileTimestamp", "stat"), ("DiskSpace", "fstatfs")]));
        let listed = "_mach_absolute_time\n_OBJC_CLASS_$_NSUserDefaults\n";
        let uses = [("SystemBootTime", "mach_absolute_time"), ("UserDefaults", "OBJC_CLASS_$_NSUserDefaults")];
        assert_eq!(of_symbols(listed), Uses::from(uses));
        assert!(of_symbols("").is_empty());
    }

    #[test]
    fn sources_are_read_word_by_word() {
        let text = "// UserDefaults is not used\nlet stat = Stats()\nlet a = x.systemUptime\nfstat(file, &facts)\n";
        assert_eq!(of_source(text), Uses::from([("SystemBootTime", "systemUptime"), ("FileTimestamp", "fstat")]));
        assert!(of_source("let restat = stats(of: file); volumeAvailable()").is_empty());
    }

    #[test]
    fn what_is_used_is_declared_with_a_reason() {
        let timestamps = "NSPrivacyAccessedAPICategoryFileTimestamp";
        let uses = of_symbols("_fstat");
        assert_eq!(said(&[(timestamps, "<string>C617.1</string>")], &uses), "passed");
        assert_eq!(said(&[], &Uses::new()), "passed");
        assert!(said(&[], &uses).contains("fstat is used, and the privacy manifest declares no"));
        assert!(said(&[(timestamps, "")], &uses).contains("without a reason"));
        assert!(
            said(&[("NSPrivacyAccessedAPICategoryWeather", "<string>A.1</string>")], &uses).contains("no category")
        );
        assert!(check("<html>", &uses).is_err());
        assert!(check(&manifest(&[]).replace("<false/>", "<true/>"), &Uses::new()).is_err());
    }
}
