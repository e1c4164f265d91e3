//! What an app may ask for by mistake, and what a file's chat template may try: typed errors that name the option and
//! the way out, or sense; never a panic, never all of the memory.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "common/memory.rs"]
mod memory;
#[path = "common/mini.rs"]
mod mini;
#[path = "common/writer.rs"]
mod writer;

use kinglet::backend::cpu::{self, Cpu};
use kinglet::backend::reference::Reference;
use kinglet::backend::{Program, Want};
use kinglet::chat::{ChatTemplate, Message, Role};
use kinglet::gguf::Gguf;
use kinglet::model::{config, decoder};
use kinglet::schedule::Keep;
use kinglet::text::{
    Classify, Extract, Length, ReplyOptions, Rewrite, Style, Summarize, Tone, classify, digest, extract, reply,
    rewrite, summarize,
};
use kinglet::tokenizer::{Decoder, Special};
use kinglet::weights::Weights;
use kinglet::{Activations, Cancel, DeviceChoice, Engine, Error, KvType, Options, Sampling};
use std::path::PathBuf;
use std::time::{Duration, Instant};

fn tiny() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny/tiny-qwen3-q4_0.gguf"))
}

fn engine(context: usize) -> Engine {
    Engine::open(tiny(), &Options { context: Some(context), threads: Some(1), ..Options::default() }).unwrap()
}

/// That this is an option's error which names it and the way out.
fn names<T>(result: kinglet::Result<T>, option: &str, what: &str) {
    let error = result.err().unwrap_or_else(|| panic!("{option}: {what}: went through"));
    let text = error.to_string();
    assert_eq!(error.kind(), "option", "{option}: {text}");
    assert!(text.starts_with(&format!("option {option}: ")) && text.contains(what), "{option}, {what}: {text}");
    assert!(["give ", "leave ", "say ", "ask for"].iter().any(|way| text.contains(way)), "no way out: {text}");
}

#[test]
fn options_of_opening() {
    let ok = Options { threads: Some(1), ..Options::default() };
    for device in [DeviceChoice::Auto, DeviceChoice::Cpu, DeviceChoice::Reference] {
        let ok = Options { device, ..ok.clone() };
        for (option, options) in [
            ("threads", Options { threads: Some(0), ..ok.clone() }),
            ("threads", Options { threads: Some(1_000_000), ..ok.clone() }),
            ("threads", Options { threads: Some(usize::MAX), ..ok.clone() }),
            ("prefill_chunk", Options { prefill_chunk: 0, ..ok.clone() }),
            ("prefill_chunk", Options { prefill_chunk: 1_000_000_000, ..ok.clone() }),
            ("prefill_chunk", Options { prefill_chunk: usize::MAX, ..ok.clone() }),
            ("context", Options { context: Some(0), ..ok.clone() }),
            ("context", Options { context: Some(1_000_000_000), ..ok.clone() }),
            ("context", Options { context: Some(usize::MAX), ..ok.clone() }),
        ] {
            names(Engine::open(tiny(), &options), option, "; give 1 to ");
            names(Engine::plan(tiny(), &options), option, "; give 1 to ");
        }
        // The smallest that is allowed, and much.
        for (threads, prefill_chunk, context) in [(1, 1, 1), (8, 4096, 64)] {
            let options =
                Options { threads: Some(threads), prefill_chunk, context: Some(context), device, ..Options::default() };
            let mut session = Engine::open(tiny(), &options).unwrap().session().unwrap();
            session.feed(&[1], &Cancel::default()).unwrap();
            assert!(session.logits().iter().all(|l| l.is_finite()));
        }
    }
}

#[test]
fn options_of_the_devices_themselves() {
    let parts = || {
        let gguf = Gguf::open(&tiny()).unwrap();
        let graph = decoder(&config(&gguf).unwrap());
        let weights = Weights::find(&gguf, &graph).unwrap();
        (graph, weights)
    };
    let options = cpu::Options {
        threads: 1,
        chunk: 4,
        activations: Activations::Int16,
        kv: KvType::F16,
        plain: false,
        keep: Keep::Logits,
        isa: cpu::Isa::best(),
    };
    let prepare = |options| {
        let (graph, weights) = parts();
        Cpu::prepare(graph, weights, options, &mut |_, _| Ok(()))
    };
    for wrong in [0, usize::MAX] {
        names(prepare(cpu::Options { threads: wrong, ..options }), "threads", "");
        names(prepare(cpu::Options { chunk: wrong, ..options }), "prefill_chunk", "");
    }
    for (threads, chunk, option) in [(0, 1, "threads"), (1, 0, "prefill_chunk")] {
        let (graph, weights) = parts();
        names(Reference::prepare(graph, weights, threads, chunk), option, "");
    }
    let program = prepare(options).unwrap();
    for context in [usize::MAX, usize::MAX / 2, 1 << 60] {
        assert_eq!(program.state(context).err().unwrap().kind(), "out_of_memory");
        assert!(program.memory(context).total() > 1 << 60);
    }
}

#[test]
fn options_of_sampling() {
    let engine = engine(32);
    let vocab = engine.vocab() as u32;
    let mut session = engine.session().unwrap();
    let ok = Sampling { max_tokens: 2, ..Sampling::default() };
    let wrong = |option: &str, sampling: Sampling| (option.to_string(), sampling);
    let mut cases = vec![
        wrong("max_tokens", Sampling { max_tokens: 0, ..ok.clone() }),
        wrong("stop", Sampling { stop: vec!["a".into(), String::new()], ..ok.clone() }),
    ];
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0] {
        cases.push(wrong("temperature", Sampling { temperature: value, ..ok.clone() }));
        cases.push(wrong("top_p", Sampling { top_p: value, ..ok.clone() }));
        cases.push(wrong("min_p", Sampling { min_p: value, ..ok.clone() }));
        cases.push(wrong("repetition_penalty", Sampling { repetition_penalty: value, ..ok.clone() }));
        if !value.is_finite() {
            cases.push(wrong("presence_penalty", Sampling { presence_penalty: value, ..ok.clone() }));
            cases.push(wrong("frequency_penalty", Sampling { frequency_penalty: value, ..ok.clone() }));
        }
        if value.is_nan() || value == f32::INFINITY {
            cases.push(wrong("logit_bias", Sampling { logit_bias: vec![(1, value)], ..ok.clone() }));
        }
    }
    cases.extend([0.0, 1.001, 2.0].map(|top_p| wrong("top_p", Sampling { top_p, ..ok.clone() })));
    cases.push(wrong("min_p", Sampling { min_p: 1.001, ..ok.clone() }));
    cases.push(wrong("repetition_penalty", Sampling { repetition_penalty: 0.0, ..ok.clone() }));
    for (option, sampling) in cases {
        names(session.generate(&[1], &sampling, &Cancel::default()), &option, "");
        assert!(session.ids().is_empty(), "{option}: something was fed");
    }
    let outside = Sampling { logit_bias: vec![(vocab, 0.0)], ..ok.clone() };
    assert_eq!(session.generate(&[1], &outside, &Cancel::default()).err().unwrap().kind(), "token_id");

    // Extremes that make sense.
    let most = usize::MAX;
    for (name, sampling) in [
        (
            "no bounds",
            Sampling { top_k: most, penalty_window: most, max_tokens: most, presence_penalty: 0.1, ..ok.clone() },
        ),
        (
            "everything off",
            Sampling { top_k: 0, top_p: 1.0, min_p: 0.0, penalty_window: 0, frequency_penalty: 1.0, ..ok.clone() },
        ),
        (
            "almost greedy",
            Sampling { temperature: f32::MIN_POSITIVE, top_p: f32::MIN_POSITIVE, min_p: 1.0, ..ok.clone() },
        ),
        ("hot", Sampling { temperature: f32::MAX, top_k: 0, ..ok.clone() }),
        ("strange penalties", Sampling { presence_penalty: f32::MIN, frequency_penalty: f32::MAX, ..ok.clone() }),
        ("one left", Sampling { logit_bias: (1..vocab).map(|id| (id, f32::NEG_INFINITY)).collect(), ..ok.clone() }),
        ("a long stop", Sampling { stop: vec!["x".repeat(1 << 20), "\u{fffd}".into()], ..ok.clone() }),
    ] {
        session.reset().unwrap();
        let mut generation = session.generate(&[1, 2], &sampling, &Cancel::default()).unwrap();
        generation.text().unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(generation.stop().is_some(), "{name}");
    }
    session.reset().unwrap();
    let nothing = Sampling { logit_bias: (0..vocab).map(|id| (id, f32::NEG_INFINITY)).collect(), ..ok };
    let error = session.generate(&[1], &nothing, &Cancel::default()).unwrap().text().unwrap_err();
    assert_eq!(error.kind(), "constraint");
}

#[test]
fn ids_and_prompts() {
    let engine = engine(8);
    let (vocab, cancel) = (engine.vocab() as u32, Cancel::default());
    let mut session = engine.session().unwrap();
    names(session.generate(&[], &Sampling::default(), &cancel), "prompt", "is empty");
    for id in [vocab, u32::MAX] {
        for kind in [
            session.feed(&[1, id], &cancel).unwrap_err().kind(),
            session.generate(&[id], &Sampling::default(), &cancel).err().unwrap().kind(),
            session.feed_for(&[id], Want::All, &cancel).unwrap_err().kind(),
            engine.tokenizer().decode(&[id]).unwrap_err().kind(),
            engine.tokenizer().piece(id).unwrap_err().kind(),
            Decoder::new(engine.tokenizer()).push(id).unwrap_err().kind(),
        ] {
            assert_eq!(kind, "token_id");
        }
        assert!(!engine.tokenizer().is_end(id) && !engine.tokenizer().is_control(id));
    }
    assert!(matches!(session.feed(&[1; 9], &cancel), Err(Error::ContextFull { needed: 9, context: 8 })));
    assert!(session.ids().is_empty() && session.logits().is_empty());
    session.feed(&[], &cancel).unwrap();
    session.feed(&[1; 8], &cancel).unwrap();
    assert!(matches!(session.feed(&[1], &cancel), Err(Error::ContextFull { .. })));
    session.truncate(usize::MAX).unwrap();
    assert_eq!(session.ids().len(), 8);
    assert_eq!(session.rewind_to_common_prefix(&[]).unwrap(), 0);
    for text in ["", "\0", "\u{feff}\u{202e}", &"\u{1f468}\u{200d}".repeat(2000), &"<|im_end|>".repeat(500)] {
        for special in [Special::Plain, Special::Parse] {
            let ids = engine.tokenizer().encode(text, special).unwrap();
            engine.tokenizer().decode_text(&ids).unwrap();
        }
        assert!(!engine.prompt(text).unwrap().is_empty());
    }
}

#[test]
fn options_of_the_text_tasks() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let roomy = mini::llama().set("llama.context_length", writer::kind::U32, 4096u32.to_le_bytes());
    std::fs::write(file.path(), roomy.bytes()).unwrap();
    let engine = Engine::open(file.path(), &Options { threads: Some(1), ..Options::default() }).unwrap();
    let (text, cancel) = ("A short text.", Cancel::default());
    let mut session = engine.session().unwrap();
    let long = "word ".repeat(400);
    for (labels, what) in [
        (vec![], "is empty"),
        (vec![""], "number 1 is empty"),
        (vec!["a", " \n"], "number 2 is empty"),
        (vec!["a", "b", "a"], "\"a\" is there twice"),
        (vec!["a", &long], "tokens long"),
    ] {
        names(classify(&mut session, text, &Classify::new(labels.clone()), &cancel), "labels", what);
        if !labels.contains(&long.as_str()) {
            names(extract(&mut session, text, &Extract::new(labels), &cancel), "fields", what);
        }
    }
    names(extract(&mut session, text, &Extract::new([long]), &cancel), "fields", "ask for fewer");
    let none = Extract { max_tokens: 0, ..Extract::new(["name"]) };
    names(extract(&mut session, text, &none, &cancel), "max_tokens", "is 0");
    names("".parse::<Tone>(), "tone", "is empty");
    names(" \t".parse::<Tone>(), "tone", "is empty");
    let stop = Some(Sampling { stop: vec![String::new()], ..Sampling::greedy() });
    names(reply(&mut session, text, &ReplyOptions { sampling: stop.clone() }, &cancel), "stop", "empty");
    let sampling = Some(Sampling { temperature: f32::NAN, ..Sampling::default() });
    let options = Summarize { sampling: sampling.clone(), ..Summarize::default() };
    names(summarize(&mut session, text, &options, &cancel).unwrap().finish(), "temperature", "NaN");
    let options = Rewrite { tone: Tone::Formal, sampling };
    names(rewrite(&mut session, text, &options, &cancel).unwrap().finish(), "temperature", "NaN");

    // Extremes that make sense; what is asked for is a hint, the context is the limit.
    let all = Extract { max_tokens: usize::MAX, ..Extract::new(["name"]) };
    assert_eq!(extract(&mut session, text, &all, &cancel).unwrap().fields.0.len(), 1);
    for style in [Style::Sentence, Style::Bullets, Style::Headline, Style::Digest] {
        for length in [0, usize::MAX].into_iter().flat_map(|n| [Length::Words(n), Length::Sentences(n)]) {
            let options = Summarize { style, length: Some(length), sampling: None };
            let stopped = Cancel::default();
            stopped.cancel();
            // The plan alone is asked for: a run of a random model would take all of its tokens.
            match summarize(&mut session, text, &options, &stopped) {
                Ok(stream) => assert_eq!(stream.finish().unwrap().summary, ""),
                Err(error) => assert_eq!(error.kind(), "option", "{style:?} {length:?}: {error}"),
            }
        }
    }
    for empty in ["", " \n\t", "\u{2003}"] {
        assert!(
            summarize(&mut session, empty, &Summarize::default(), &cancel)
                .unwrap()
                .finish()
                .unwrap()
                .summary
                .is_empty()
        );
        assert!(reply(&mut session, empty, &ReplyOptions::default(), &cancel).unwrap().suggestions.is_empty());
        assert_eq!(classify(&mut session, empty, &Classify::new(["a"]), &cancel).unwrap().label, None);
    }
    assert!(digest(&mut session, &[], None, &cancel).unwrap().finish().unwrap().groups.is_empty());

    // A context in which no task fits.
    let mut small = self::engine(4).session().unwrap();
    names(summarize(&mut small, text, &Summarize::default(), &cancel), "context", "give at least");
    names(
        rewrite(&mut small, text, &Rewrite { tone: Tone::Formal, sampling: None }, &cancel),
        "context",
        "give at least",
    );
    names(reply(&mut small, text, &ReplyOptions::default(), &cancel), "context", "give at least");
    names(digest(&mut small, &[], None, &cancel), "context", "give at least");
    names(classify(&mut small, text, &Classify::new(["a"]), &cancel), "context", "give at least");
    names(extract(&mut small, text, &Extract::new(["a"]), &cancel), "context", "give at least");
}

#[test]
fn a_template_that_says_nothing_is_an_error_of_each_task() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let silent = mini::qwen2().set("qwen2.context_length", writer::kind::U32, 4096u32.to_le_bytes());
    let silent = silent.set("tokenizer.chat_template", writer::kind::STR, writer::string("{# nothing #}"));
    std::fs::write(file.path(), silent.bytes()).unwrap();
    let engine = Engine::open(file.path(), &Options { threads: Some(1), ..Options::default() }).unwrap();
    let (text, cancel) = ("abc abc abc", Cancel::default());
    let mut session = engine.session().unwrap();
    assert!(engine.prompt(text).unwrap().is_empty());
    for error in [
        reply(&mut session, text, &ReplyOptions::default(), &cancel).unwrap_err(),
        summarize(&mut session, text, &Summarize::default(), &cancel).err().unwrap(),
        rewrite(&mut session, text, &Rewrite { tone: Tone::Formal, sampling: None }, &cancel).err().unwrap(),
        extract(&mut session, text, &Extract::new(["a"]), &cancel).unwrap_err(),
        classify(&mut session, text, &Classify::new(["a", "b"]), &cancel).unwrap_err(),
        digest(&mut session, &[], None, &cancel).err().unwrap(),
    ] {
        assert!(error.kind() == "tokenizer" && error.to_string().contains("leaves nothing"), "{error}");
    }
}

#[test]
fn templates_that_never_end_or_want_all_memory_are_refused() {
    const MOST: usize = 64 << 20;
    let gguf = Gguf::from_bytes(mini::qwen2().bytes()).unwrap();
    let tokenizer = kinglet::tokenizer::Tokenizer::from_gguf(&gguf).unwrap();
    let doubling = |step: &str| {
        format!(
            "{{% set ns = namespace(x='aaaaaaaa', l=[1]) %}}{{% for i in range(90) %}}{step}{{% endfor %}}{{{{ ns.x }}}}"
        )
    };
    let loops = |n: usize| format!("{}x{}", "{% for i in range(99999) %}".repeat(n), "{% endfor %}".repeat(n));
    for (name, source) in [
        ("loops in loops", loops(3)),
        ("a long range", "{% for i in range(10 ** 15) %}x{% endfor %}".into()),
        ("a macro that calls itself", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}".into()),
        (
            "a macro that calls itself twice",
            "{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}".into(),
        ),
        ("a loop that calls itself", "{% for i in [[[]]] recursive %}{{ loop([[[]]]) }}{% endfor %}".into()),
        ("text twice as long each time", doubling("{% set ns.x = ns.x ~ ns.x %}")),
        ("lists twice as long each time", doubling("{% set ns.l = ns.l + ns.l %}{% set ns.x = ns.l | join %}")),
        ("replacing by itself", doubling("{% set ns.x = ns.x.replace('a', ns.x) %}")),
        ("the filter that replaces", doubling("{% set ns.x = ns.x | replace('a', ns.x) %}")),
        ("joining by itself", doubling("{% set ns.x = ns.x.join(ns.x) %}")),
        ("text times a number", "{{ 'x' * 10 ** 12 }}".into()),
        ("lists times a number", "{{ ([0] * 10 ** 12) | list }}".into()),
        ("indentation", "{{ 'a\n' | indent(10 ** 12) }}".into()),
        ("formats", "{{ '%1000000000000s' | format('x') }}".into()),
        ("text in the middle", "{{ 'x' | center(10 ** 12) }}".into()),
        ("padding", "{{ 'x'.ljust(10 ** 12) }}{{ 'x'.zfill(10 ** 12) }}".into()),
        ("powers", "{{ 10 ** 10 ** 10 }}".into()),
        ("batches", "{{ [1] | batch(10 ** 12, 'x') | list }}".into()),
        ("slices", "{{ [1] | slice(10 ** 12, 'x') | list }}".into()),
        ("JSON", doubling("{% set ns.x = ns.x | tojson | tojson | tojson %}")),
        ("including itself", "{% include 'chat' %}".into()),
        ("what it refuses", "{{ raise_exception('no' * 100000) }}".into()),
        ("a wrong time", "{{ strftime_now('%') }}".into()),
        ("nothing that is known", "{{ messages | no_such_filter }}".into()),
    ] {
        let began = Instant::now();
        let (result, peak) = memory::peak(|| {
            ChatTemplate::new(&source, &tokenizer)?.encode(&tokenizer, &[Message::new(Role::User, "a")], true)
        });
        let error = result.err().unwrap_or_else(|| panic!("{name}: rendered"));
        let text = error.to_string();
        assert!(error.kind() == "template" && text.len() < 700, "{name}: {text:.700}");
        assert!(peak <= MOST, "{name}: {peak} bytes");
        assert!(began.elapsed() < Duration::from_mins(1), "{name}: {:?}", began.elapsed());
        println!("{name}: {peak} bytes, {:?}: {text}", began.elapsed());
    }
}
