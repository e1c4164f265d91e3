//! `diverge` and `activations` as processes.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Ran, run, tiny};

fn diverge(model: &str, more: &[&str]) -> Ran {
    let args = ["diverge", model, "--ids", "5,6,7,8,9", "--tokens", "3", "--a", "reference", "--b", "cpu"];
    run(&[&args[..], more].concat())
}

#[test]
fn devices_that_agree_are_the_same() {
    let model = tiny("llama-q8_0");
    let answer = diverge(&model, &["--json", "--all"]).json();
    assert_eq!(answer["verdict"], "same", "{answer}");
    assert!(answer["first_bad"].is_null() && answer["inject"].is_null());
    assert_eq!((answer["a"]["kind"].as_str(), answer["b"]["kind"].as_str()), (Some("reference"), Some("cpu")));
    assert_eq!(answer["model_sha256"].as_str().unwrap().len(), 64);
    assert_eq!(answer["tokens"]["a"].as_array().unwrap().len(), 3);
    let nodes = answer["nodes"].as_array().unwrap();
    assert!(nodes.iter().any(|node| node["node"] == "blk.1.ffn_down" && node["layer"] == 1 && node["op"] == "matmul"));
    for node in nodes {
        for field in ["max_abs", "rel", "cosine", "nan", "inf"] {
            assert!(node[field].is_number(), "{field}: {node}");
        }
        assert!(node["class"].is_null() && node["first_index"].is_null(), "{node}");
    }
    let text = diverge(&model, &[]).stdout();
    assert!(text.contains("same: nothing but rounding"), "{text}");
}

#[test]
fn the_first_bad_node_is_named() {
    let model = tiny("llama-q8_0");
    for mode in ["isolated", "drift"] {
        let answer = diverge(&model, &["--json", "--mode", mode, "--inject", "zeros@blk.1.ffn_down"]).json();
        assert_eq!(answer["verdict"], "broken", "{mode}: {answer}");
        assert_eq!(answer["first_bad"]["node"], "blk.1.ffn_down", "{mode}");
        assert_eq!(answer["first_bad"]["class"], "zeros", "{mode}");
        assert_eq!(answer["first_bad"]["first_index"], 0, "{mode}");
        assert_eq!(answer["inject"], "zeros@blk.1.ffn_down:1", "{mode}");
    }
    let text = diverge(&model, &["--inject", "tile@blk.1.ffn_down"]).stdout();
    assert!(text.contains("broken: blk.1.ffn_down (matmul) is wrong on cpu: tile"), "{text}");
}

/// A browser needs nothing but the file, and finds in it what the JSON says.
#[test]
fn a_page_shows_it_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.html");
    let more = ["--json", "--all", "--inject", "tile@blk.1.ffn_down", "--html", path.to_str().unwrap()];
    let answer = diverge(&tiny("llama-q8_0"), &more).json();
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.len() < 2_000_000, "{}", page.len());
    for outside in ["http:", "https:", "//cdn", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert_eq!(page.matches("</script").count(), 1);
    let data = page.lines().find_map(|line| line.strip_prefix("const data = ")?.strip_suffix(';')).unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    let (bad, shown) = (&answer["first_bad"], &data["report"]["first_bad"]);
    for field in ["node", "class", "first_index", "slice", "kernel"] {
        assert_eq!(bad[field], shown[field], "{field}");
    }
    let slice = &shown["slice"];
    let at = (shown["first_index"].as_u64().unwrap() - slice["from"].as_u64().unwrap()) as usize;
    let (a, b) = (slice["a"][at].as_f64().unwrap(), slice["b"][at].as_f64().unwrap());
    assert!((1.0 - 2.0 * a - b).abs() < 1e-4, "the tile is 1 - 2 x: {a} {b}");
    let id = data["report"]["tokens"]["a"][0].to_string();
    assert!(data["pieces"][&id].is_string(), "{id}");
    let nowhere = folder.path().join("none").join("report.html");
    assert_ne!(diverge(&tiny("llama-q8_0"), &["--html", nowhere.to_str().unwrap()]).status(), 0);
}

#[test]
fn activations_write_a_plan() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.json");
    let model = tiny("llama-q8_0");
    let ran = run(&["activations", &model, "--tokens", "12", "--json", "--plan", plan.to_str().unwrap()]);
    let answer = ran.json();
    let nodes = answer["nodes"].as_array().unwrap();
    assert!(answer["tokens"].as_u64().unwrap() <= 12 && nodes.len() > 20, "{answer}");
    let norm = nodes.iter().find(|node| node["node"] == "blk.0.attn_norm").unwrap();
    assert!(norm["stored"] == "f32" && norm["why"].is_string() && norm["max_abs"].as_f64().unwrap() > 0.0, "{norm}");
    let plan: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(plan).unwrap()).unwrap();
    assert_eq!(plan["stored"]["blk.0.attn_v"], "f16", "{plan}");
    assert!(plan["stored"].get("blk.0.attn_norm").is_none(), "{plan}");
    let text = run(&["activations", &model]).stdout();
    assert!(text.contains("0 nodes exceed f16's 65504"), "{text}");
}

#[test]
fn what_cannot_be_injected_is_an_error() {
    let model = tiny("llama-q8_0");
    for wrong in ["zeros@blk.9.ffn_down", "zeros", "rust@output"] {
        assert_ne!(diverge(&model, &["--inject", wrong]).status(), 0, "{wrong}");
    }
}

#[test]
fn a_side_is_a_device_and_perhaps_a_tier() {
    let model = tiny("llama-q8_0");
    for (wrong, why) in [("cpu:1", "only a gpu has tiers"), ("tpu", "no device"), ("gpu:7", "not a tier")] {
        let ran = run(&["diverge", &model, "--ids", "5", "--a", wrong]);
        assert!(ran.status() != 0 && ran.stderr().contains(why), "{wrong}: {}", ran.stderr());
    }
    let tiers = ["diverge", &model, "--ids", "5,6,7", "--a", "gpu:0", "--b", "gpu:1", "--tokens", "2", "--json"];
    let answer = run(&tiers).json();
    assert_eq!(answer["verdict"], "same", "{answer}");
    for (side, tier) in [("a", "tier 0"), ("b", "tier 1")] {
        assert!(answer[side]["detail"].as_str().unwrap().contains(tier), "{answer}");
    }
}

/// What `activations` writes runs; a plan that puts the residual stream in f16 does not, nor that of another model.
#[test]
fn a_gpu_takes_the_plan_of_its_model_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.json");
    let path = file.to_str().unwrap();
    let model = tiny("llama-q8_0");
    run(&["activations", &model, "--plan", path, "--json"]).json();
    let with = |model: &str| {
        let args = ["run", "--model", model, "--device", "gpu", "--ids", "5,6,7", "--max-tokens", "2", "--json"];
        run(&[&args[..], &["--gpu-precision", path]].concat())
    };
    assert_eq!(with(&model).json()["ids"].as_array().unwrap().len(), 2);
    let other = with(&tiny("llama-q4_0"));
    assert!(other.status() != 0 && other.stdout().contains("another model"), "{}", other.stdout());
    let mut plan: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    plan["stored"]["blk.1.l_out"] = "f16".into();
    std::fs::write(&file, plan.to_string()).unwrap();
    let refused = with(&model);
    assert!(refused.status() != 0 && refused.stdout().contains("blk.1.l_out"), "{}", refused.stdout());
    std::fs::write(&file, "{}").unwrap();
    assert!(with(&model).stdout().contains("is no plan"));
}

/// What one machine wrote, another compares with.
#[test]
fn a_file_takes_the_place_of_a_device() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("phone.safetensors");
    let file = file.to_str().unwrap();
    let model = tiny("llama-q8_0");
    let ids = ["--ids", "5,6,7,8,9", "--tokens", "3"];
    let written = run(&[&["diverge", &model, "--a", "cpu", "--dump", file, "--json"], &ids[..]].concat()).json();
    assert_eq!(written["dump"], file);
    let with = |more: &[&str]| run(&[&["diverge", &model, "--a", file, "--b", "cpu"], more].concat());
    let same = with(&[&ids[..], &["--json"]].concat()).json();
    assert_eq!((&same["verdict"], &same["a"]["kind"]), (&"same".into(), &"dump".into()), "{same}");
    assert_eq!(same["tokens"]["a"].as_array().unwrap().len(), 3);
    let bad = with(&[&ids[..], &["--json", "--inject", "zeros@blk.1.attn_q"]].concat()).json();
    assert_eq!(bad["first_bad"]["node"], "blk.1.attn_q", "{bad}");
    assert_eq!(with(&["--ids", "5,6", "--json"]).error_kind(), "dump");
}
