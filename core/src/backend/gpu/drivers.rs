//! Drivers that `auto` must not even try: they take the whole process with them. `drivers.json` lists them, each with
//! where it was reported. Who computes wrongly is not in it: that is found out on the device.

use serde::Deserialize;

/// A driver that is known to be bad.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// A part of the adapter's name.
    name: String,
    /// A part of the driver's name and version; empty for all.
    driver: String,
    /// What it does.
    why: String,
    /// Where that was reported.
    source: String,
}

const LIST: &str = include_str!("drivers.json");

/// What is known against an adapter with this driver.
pub(super) fn known_bad(name: &str, driver: &str) -> Option<String> {
    let has = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
    // A list that cannot be read is empty; the test below reads it.
    let all: Vec<Known> = serde_json::from_str(LIST).unwrap_or_default();
    let known = all.into_iter().find(|known| has(name, &known.name) && has(driver, &known.driver))?;
    Some(format!("{} ({})", known.why, known.source))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_driver_that_crashes_is_known_by_its_name() {
        let list: Vec<Known> = serde_json::from_str(LIST).unwrap();
        assert!(!list.is_empty());
        for known in &list {
            assert!(known.name.len() > 5 && known.source.starts_with("https://"), "{}", known.name);
            let why = known_bad(&format!("{}-8-256", known.name.to_uppercase()), &known.driver).unwrap();
            assert!(why.contains(&known.source), "{why}");
        }
        assert_eq!(known_bad("Adreno (TM) 740", "any"), None);
        assert_eq!(known_bad("llvmpipe (LLVM 15)", ""), None);
    }
}
