//! The public API of a module as lines that can be read and compared, from the compiler's symbol graph.
//!
//! The format is at <https://github.com/swiftlang/swift-docc-symbolkit>. Linux shows what is compiled on Linux: what is
//! behind `#if canImport(UIKit)` is not in it.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

const HEAD: &str = "# The public API of the module Kinglet as it is on Linux: what, then how it is declared.\n\
                    # `cargo xtask ios --fix` writes it down anew.\n";
/// What every type conforms to, and compilers name or not.
const ALWAYS: [&str; 3] = ["Copyable", "Escapable", "BitwiseCopyable"];

/// The API of a module, from the folder of its symbol graphs.
pub fn read(folder: &Path) -> Result<String> {
    let mut graphs = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        graphs.push(serde_json::from_slice(&fs::read(&path)?).with_context(|| path.display().to_string())?);
    }
    let lines = lines(&graphs)?;
    ensure!(!lines.is_empty(), "{} describes nothing public", folder.display());
    Ok(lines.into_iter().fold(HEAD.to_owned(), |text, line| text + &line + "\n"))
}

/// One line for each declaration, and one for what each type conforms to.
fn lines(graphs: &[Value]) -> Result<BTreeSet<String>> {
    let list = |name: &'static str| graphs.iter().filter_map(move |graph| graph[name].as_array()).flatten();
    let (mut lines, mut paths) = (BTreeSet::new(), HashMap::new());
    let mut protocols = BTreeMap::<_, BTreeSet<_>>::new();
    for symbol in list("symbols") {
        let path = strings(&symbol["pathComponents"]).join(".");
        let declaration = declaration(symbol).with_context(|| format!("{path} has no declaration"))?;
        lines.insert(format!("{path}: {declaration}"));
        paths.insert(symbol["identifier"]["precise"].as_str().context("a symbol has no identifier")?, path);
    }
    for conformance in list("relationships").filter(|relationship| relationship["kind"] == "conformsTo") {
        let (source, target) = (&conformance["source"], &conformance["target"]);
        let known = |identifier: &Value| identifier.as_str().and_then(|name| paths.get(name)).cloned();
        let Some(path) = known(source) else { continue };
        let elsewhere = || Some(conformance["targetFallback"].as_str()?.rsplit('.').next()?.to_owned());
        let protocol =
            known(target).or_else(elsewhere).with_context(|| format!("what {path} conforms to has no name"))?;
        if !ALWAYS.contains(&protocol.as_str()) {
            protocols.entry(path).or_default().insert(protocol);
        }
    }
    for (path, protocols) in protocols {
        lines.insert(format!("{path}: conforms to {}", protocols.into_iter().collect::<Vec<_>>().join(", ")));
    }
    Ok(lines)
}

/// What a symbol is declared as, since when and on what conditions.
fn declaration(symbol: &Value) -> Option<String> {
    let fragments = symbol["declarationFragments"].as_array()?;
    let text: String = fragments.iter().filter_map(|fragment| fragment["spelling"].as_str()).collect();
    let mut words = Vec::new();
    for limit in symbol["availability"].as_array().into_iter().flatten() {
        words.push(availability(limit));
    }
    words.extend(text.split_whitespace().map(str::to_owned));
    let conditions = symbol["swiftExtension"]["constraints"].as_array().into_iter().flatten();
    let conditions: Vec<_> = conditions.filter_map(condition).collect();
    if !conditions.is_empty() {
        words.push(format!("[where {}]", conditions.join(", ")));
    }
    Some(words.join(" "))
}

/// As in `@available(iOS 17.0, deprecated)`.
fn availability(limit: &Value) -> String {
    let domain = limit["domain"].as_str().unwrap_or("*");
    let number = |version: &Value| {
        let part = |name: &str| version[name].as_u64();
        part("major").map(|major| format!(" {major}.{}", part("minor").unwrap_or(0)))
    };
    let since = number(&limit["introduced"]).unwrap_or_default();
    let is = |name: &str| limit[name].as_bool() == Some(true);
    let deprecated = is("isUnconditionallyDeprecated") || limit["deprecated"].is_object();
    let words = [(deprecated, ", deprecated"), (is("isUnconditionallyUnavailable"), ", unavailable")];
    let words: String = words.iter().filter(|(said, _)| *said).map(|(_, word)| *word).collect();
    format!("@available({domain}{since}{words})")
}

fn condition(constraint: &Value) -> Option<String> {
    let relation = match constraint["kind"].as_str()? {
        "sameType" => "==",
        _ => ":",
    };
    Some(format!("{} {relation} {}", constraint["lhs"].as_str()?, constraint["rhs"].as_str()?))
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// What the committed listing and this one do not have in common, for a message.
pub fn difference(committed: &str, now: &str) -> String {
    let set = |text: &'_ str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (old, new) = (set(committed), set(now));
    let gone = old.difference(&new).map(|line| format!("- {line}"));
    gone.chain(new.difference(&old).map(|line| format!("+ {line}"))).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn symbol(path: &str, declaration: &str) -> Value {
        // The compiler cuts declarations at every word.
        let fragments: Vec<_> = declaration.split_inclusive(' ').map(|word| json!({"spelling": word})).collect();
        let path: Vec<_> = path.split('.').collect();
        json!({"identifier": {"precise": path.join("/")}, "pathComponents": path, "declarationFragments": fragments})
    }

    #[test]
    fn a_graph_becomes_sorted_lines_with_their_owners() {
        let folder = tempfile::tempdir().unwrap();
        let mut throttled = symbol("Engine.trim()", "func trim()  async\n throws");
        throttled["availability"] =
            json!([{"domain": "iOS", "introduced": {"major": 17}, "deprecated": {"major": 18}}]);
        let mut texts = symbol("EventStream.texts", "var texts: [String]");
        texts["swiftExtension"] = json!({"constraints": [
            {"kind": "sameType", "lhs": "Self.Element", "rhs": "Event"}, {"kind": "conformance", "lhs": "Self", "rhs": "Sendable"},
        ]});
        let conforms = |to: &str, fallback: Option<&str>| json!({"kind": "conformsTo", "source": "Engine", "target": to, "targetFallback": fallback});
        let own = json!({
            "symbols": [symbol("Model", "protocol Model"), throttled, symbol("Engine", "final class Engine"), texts],
            "relationships": [
                conforms("s8SendableP", Some("Swift.Sendable")), conforms("Model", None),
                conforms("s8CopyableP", Some("Swift.Copyable")),
                {"kind": "memberOf", "source": "Engine/trim()", "target": "Engine"},
            ],
        });
        let extension = json!({"symbols": [symbol("String.shout()", "func shout()")], "relationships": []});
        assert!(read(folder.path()).is_err());
        for (name, graph) in [("Kinglet", own), ("Kinglet@Swift", extension)] {
            fs::write(folder.path().join(format!("{name}.symbols.json")), graph.to_string()).unwrap();
        }
        let listing = read(folder.path()).unwrap();
        let lines: Vec<_> = listing.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "Engine.trim(): @available(iOS 17.0, deprecated) func trim() async throws",
                "Engine: conforms to Model, Sendable",
                "Engine: final class Engine",
                "EventStream.texts: var texts: [String] [where Self.Element == Event, Self : Sendable]",
                "Model: protocol Model",
                "String.shout(): func shout()",
            ]
        );
    }

    #[test]
    fn a_symbol_without_a_declaration_is_an_error() {
        let mut broken = symbol("Engine", "");
        broken["declarationFragments"] = Value::Null;
        let error = lines(&[json!({"symbols": [broken]})]).unwrap_err();
        assert!(format!("{error:#}").contains("Engine has no declaration"));
    }

    #[test]
    fn a_difference_shows_what_came_and_what_went() {
        assert_eq!(difference("a\nb\n", "b\nc\n"), "- a\n+ c");
        assert_eq!(difference("a\n", "a\n"), "");
    }
}
