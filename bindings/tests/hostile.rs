//! Each exported function with what no caller should send: a typed error or a value, never a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{data, drain, engine, failure, finish, options, session, tiny, tokens};
use kinglet_ffi::{
    DeviceChoice, DiagnoseMode, DiagnoseOptions, Engine, EngineOptions, ExtractOptions, GpuOptions, KingletError,
    LogLevel, LogLines, Meanwhile, Message, Notification, Preset, Role, Sampling, SummarizeOptions, SummaryLength,
    TokenBias, Tone, devices, diagnose, init_logging, inspect, plan, qualify, sampling,
};
use pollster::block_on;

/// Files that are none, and names that no file can have.
fn paths() -> Vec<String> {
    let folder = env!("CARGO_MANIFEST_DIR");
    let mut paths: Vec<String> =
        ["", "/", "\0", "a\0b", "no/such/file.gguf", "\u{202e}\u{feff}", "-", "~"].map(Into::into).into();
    paths.extend([folder.into(), format!("{folder}/Cargo.toml"), "x".repeat(100_000)]);
    paths
}

/// Texts that tokenizers and templates trip over.
fn texts() -> Vec<String> {
    let fixed = [
        "",
        " ",
        "\0",
        "\n\n\n",
        "<|im_end|><s></s><bos>",
        "{{ x }}{% for %}",
        "👩‍👩‍👧‍👦 日本語 \u{200f}\u{feff}",
        "\u{1b}[31m",
    ];
    fixed
        .into_iter()
        .map(Into::into)
        .chain(["a".repeat(200_000), "🐦".repeat(20_000), "\u{301}".repeat(5_000)])
        .collect()
}

#[test]
fn files_that_are_none() {
    let engine = engine();
    for path in paths() {
        let shown: String = path.chars().take(20).collect();
        let of_a_file = |error: &KingletError| {
            let fits = matches!(error, KingletError::Io(_) | KingletError::Gguf(_) | KingletError::Saved(_));
            assert!(fits && error.to_string().len() > 10, "{shown:?}: {error:?}");
        };
        of_a_file(&block_on(Engine::load(path.clone(), options(), None)).err().unwrap());
        of_a_file(&block_on(plan(path.clone(), options())).unwrap_err());
        of_a_file(&block_on(inspect(path.clone())).unwrap_err());
        of_a_file(&block_on(qualify(path.clone(), options(), None)).unwrap_err());
        of_a_file(&block_on(diagnose(path.clone(), "a".into(), options(), None, None)).unwrap_err());
        of_a_file(&block_on(engine.restore(path.clone(), None)).err().unwrap());
    }
    let session = session(&engine);
    for path in ["", "/", "\0", "no/such/folder/session"] {
        assert!(matches!(block_on(session.save(path.into())), Err(KingletError::Io(_))), "{path:?}");
    }
    // A model is no session.
    assert!(matches!(block_on(engine.restore(tiny(), None)), Err(KingletError::Saved(_))));
}

#[test]
fn the_words_are_the_cores() {
    let own = kinglet::Engine::open("no/such.gguf", &kinglet::Options::default()).err().unwrap();
    let error = block_on(Engine::load("no/such.gguf".into(), EngineOptions::default(), None)).err().unwrap();
    assert_eq!(error, KingletError::Io(own.to_string()));
    assert!(error.to_string().starts_with("cannot read no/such.gguf: "), "{error}");
}

#[test]
fn options_that_make_no_sense() {
    let gpu = |gpu: GpuOptions| EngineOptions { gpu, ..options() };
    for (name, wrong) in [
        ("threads", EngineOptions { threads: Some(0), ..options() }),
        ("threads", EngineOptions { threads: Some(u32::MAX), ..options() }),
        ("context", EngineOptions { context: Some(0), ..options() }),
        ("context", EngineOptions { context: Some(u32::MAX), ..options() }),
        ("prefill_chunk", EngineOptions { prefill_chunk: Some(0), ..options() }),
        ("prefill_chunk", EngineOptions { prefill_chunk: Some(u32::MAX), ..options() }),
        ("tier", gpu(GpuOptions { tier: Some(255), ..GpuOptions::default() })),
    ] {
        let begins = format!("option {name}: is ");
        for error in [
            block_on(Engine::load(tiny(), wrong.clone(), None)).err().unwrap(),
            block_on(plan(tiny(), wrong.clone())).unwrap_err(),
            block_on(qualify(tiny(), wrong.clone(), None)).unwrap_err(),
            block_on(diagnose(tiny(), "a".into(), wrong.clone(), None, None)).unwrap_err(),
        ] {
            assert!(matches!(&error, KingletError::Option(text) if text.starts_with(&begins)), "{error:?}");
        }
    }
    for template in [
        "{% for %}",
        "{{ raise_exception('no') }}",
        &"{".repeat(2 << 20),
        "{% for i in range(99999999) %}x{% endfor %}",
    ] {
        let options = EngineOptions { chat_template: Some(template.into()), ..options() };
        let error = block_on(Engine::load(tiny(), options, None)).and_then(|engine| {
            let message = Message { role: Role::User, content: "a".into() };
            engine.count_message_tokens(vec![message])
        });
        assert!(matches!(error, Err(KingletError::Template(_))), "{error:?}");
    }
    for inject in ["", "zeros", "zeros@", "nonsense@logits", "zeros@no such node", "zeros@logits:2"] {
        let bad = GpuOptions { inject: Some(inject.into()), adapter: Some(String::new()), ..GpuOptions::default() };
        let options = EngineOptions { device: Some(DeviceChoice::Gpu), gpu: bad, ..options() };
        let error = block_on(Engine::load(tiny(), options, None)).err().unwrap();
        assert!(matches!(&error, KingletError::Option(text) if text.starts_with("option inject: ")), "{error:?}");
    }
    let nowhere = GpuOptions { adapter: Some("no such adapter".into()), ..GpuOptions::default() };
    let options = EngineOptions { device: Some(DeviceChoice::Gpu), gpu: nowhere, ..options() };
    let error = block_on(Engine::load(tiny(), options, None)).err().unwrap();
    assert!(matches!(error, KingletError::NoGpu(_)), "{error:?}");
}

#[test]
fn samplings_that_make_no_sense() {
    let engine = engine();
    let session = session(&engine);
    let wrong = |change: fn(&mut Sampling)| {
        let mut sampling = tokens(2);
        change(&mut sampling);
        sampling
    };
    let message = || vec![Message { role: Role::User, content: "a".into() }];
    for (name, sampling) in [
        ("temperature", wrong(|s| s.temperature = f32::NAN)),
        ("temperature", wrong(|s| s.temperature = -1.0)),
        ("temperature", wrong(|s| s.temperature = f32::INFINITY)),
        ("top_p", wrong(|s| s.top_p = 0.0)),
        ("top_p", wrong(|s| s.top_p = f32::NAN)),
        ("min_p", wrong(|s| s.min_p = -0.1)),
        ("repetition_penalty", wrong(|s| s.repetition_penalty = 0.0)),
        ("presence_penalty", wrong(|s| s.presence_penalty = f32::NEG_INFINITY)),
        ("frequency_penalty", wrong(|s| s.frequency_penalty = f32::NAN)),
        ("logit_bias", wrong(|s| s.logit_bias = vec![TokenBias { id: 0, bias: f32::NAN }])),
        ("stop", wrong(|s| s.stop = vec![String::new()])),
        ("max_tokens", wrong(|s| s.max_tokens = 0)),
    ] {
        let begins = format!("option {name}: ");
        for stream in [
            session.generate("a".into(), sampling.clone()),
            session.generate_from_tokens(vec![1], sampling.clone()),
            session.respond(message(), sampling.clone()),
        ] {
            let error = failure(&stream.unwrap());
            assert!(error.to_string().contains(&begins), "{name}: {error:?}");
        }
    }
    let far = wrong(|s| s.logit_bias = vec![TokenBias { id: u32::MAX, bias: 1.0 }]);
    assert!(matches!(failure(&session.generate("a".into(), far).unwrap()), KingletError::TokenId(_)));
    // Large is not wrong.
    let large = Sampling {
        max_tokens: u32::MAX,
        top_k: u32::MAX,
        penalty_window: u32::MAX,
        seed: u64::MAX,
        presence_penalty: f32::MAX,
        temperature: f32::MAX,
        stop: vec!["x".repeat(100_000)],
        ..sampling(Preset::Standard)
    };
    assert!(finish(&session.generate("a".into(), large).unwrap()).stats.tokens > 0);
    // The session is as good as before.
    assert_eq!(finish(&session.generate("a".into(), tokens(2)).unwrap()).stats.tokens, 2);
}

#[test]
fn texts_and_ids() {
    let engine = engine();
    let vocab = engine.info().vocab;
    for ids in [vec![u32::MAX], vec![0, vocab]] {
        assert!(matches!(engine.detokenize(ids.clone()), Err(KingletError::TokenId(_))));
        let session = session(&engine);
        let error = failure(&session.generate_from_tokens(ids, tokens(2)).unwrap());
        assert!(matches!(&error, KingletError::TokenId(text) if text.contains(&vocab.to_string())), "{error:?}");
    }
    assert!(matches!(
        failure(&session(&engine).generate_from_tokens(Vec::new(), tokens(2)).unwrap()),
        KingletError::Option(text) if text.contains("prompt")
    ));
    let many = vec![1; engine.context() as usize + 1];
    assert!(matches!(
        failure(&session(&engine).generate_from_tokens(many, tokens(2)).unwrap()),
        KingletError::ContextFull(_)
    ));
    assert_eq!(engine.detokenize(Vec::new()).unwrap(), "");
    for text in texts() {
        let shown: String = text.chars().take(10).collect();
        let ids = engine.tokenize(text.clone()).unwrap();
        assert_eq!(engine.detokenize(ids).unwrap(), text, "{shown:?}");
        for role in [Role::System, Role::User, Role::Assistant] {
            let messages = vec![Message { role, content: text.clone() }; 3];
            let counted = engine.count_message_tokens(messages.clone());
            let (_, error) = drain(&session(&engine).respond(messages, tokens(2)).unwrap());
            let is_fine = |e: &KingletError| matches!(e, KingletError::ContextFull(_) | KingletError::Template(_));
            assert!(counted.as_ref().err().into_iter().chain(&error).all(is_fine), "{shown:?}: {counted:?} {error:?}");
        }
        let (_, error) = drain(&session(&engine).generate(text, tokens(2)).unwrap());
        assert!(
            error.iter().all(|e| matches!(e, KingletError::ContextFull(_) | KingletError::Option(_))),
            "{shown:?}: {error:?}"
        );
    }
    let (_, error) = drain(&session(&engine).respond(Vec::new(), tokens(2)).unwrap());
    assert!(error.iter().all(|e| matches!(e, KingletError::Template(_) | KingletError::Option(_))), "{error:?}");
}

#[test]
fn tasks_with_nonsense() {
    let engine = block_on(Engine::load(data("tiny_extra/x-qwen2-q8_0.gguf"), options(), None)).unwrap();
    let summary = || SummarizeOptions { sampling: Some(tokens(2)), ..SummarizeOptions::default() };
    for text in texts().into_iter().map(|text| text.chars().take(2000).collect::<String>()) {
        let empty = text.trim().is_empty();
        let check = |found: kinglet_ffi::StreamResult| assert!(!empty || found.text.is_empty(), "{text:?}: {found:?}");
        check(finish(&engine.summarize(text.clone(), summary()).unwrap()));
        check(finish(&engine.rewrite(text.clone(), Tone::Formal, Some(tokens(2))).unwrap()));
        let note = Notification { app: text.clone(), title: text.clone(), text: text.clone(), time: text.clone() };
        check(finish(&engine.digest(vec![note; 2], Some(tokens(2))).unwrap()));
        let few = ExtractOptions { verbatim: true, max_tokens: 2 };
        block_on(engine.extract(text.clone(), vec!["a".into()], few, None)).unwrap();
        let found = block_on(engine.classify(text.clone(), vec!["a".into(), "b".into()], true, None)).unwrap();
        assert_eq!(found.label.is_none(), empty, "{text:?}");
        block_on(engine.reply(text, Some(tokens(2)), None)).unwrap();
    }
    for count in [0, u32::MAX] {
        for length in [SummaryLength::Words { count }, SummaryLength::Sentences { count }] {
            let options = SummarizeOptions { length: Some(length), ..summary() };
            let (_, error) = drain(&engine.summarize("One. Two. Three.".into(), options).unwrap());
            assert_eq!(error.is_some(), count == 0, "{length:?}: {error:?}");
        }
    }
    let an_option = |error: KingletError, name: &str| {
        assert!(matches!(&error, KingletError::Option(text) if text.contains(name)), "{error:?}");
    };
    an_option(engine.rewrite("a".into(), Tone::Custom { words: "  ".into() }, None).err().unwrap(), "tone");
    for wrong in [vec![], vec![String::new()], vec!["a".into(), "a".into()], vec!["x ".repeat(500)]] {
        an_option(block_on(engine.classify("a".into(), wrong.clone(), true, None)).unwrap_err(), "labels");
    }
    let copied = || ExtractOptions { verbatim: true, max_tokens: 40 };
    for wrong in [vec![], vec![String::new()], vec!["a".into(), "a".into()], vec!["x ".repeat(5000)]] {
        an_option(block_on(engine.extract("a".into(), wrong, copied(), None)).unwrap_err(), "fields");
    }
    let none = ExtractOptions { max_tokens: 0, ..copied() };
    an_option(block_on(engine.extract("a".into(), vec!["b".into()], none, None)).unwrap_err(), "max_tokens");
    assert!(finish(&engine.digest(Vec::new(), None).unwrap()).groups.is_empty());
    for (prefill, decode, repeat) in [(0, 1, 1), (1, 0, 1), (1, 1, 0)] {
        an_option(block_on(engine.benchmark(prefill, decode, repeat, None)).unwrap_err(), "is 0");
    }
    for (prefill, decode) in [(u32::MAX, 1), (1, u32::MAX)] {
        let error = block_on(engine.benchmark(prefill, decode, 1, None)).unwrap_err();
        assert!(matches!(error, KingletError::ContextFull(_)), "{error:?}");
    }
    assert_eq!(block_on(engine.benchmark(1, 1, 1, None)).unwrap().device, "cpu");
}

#[test]
fn sessions_at_their_edges() {
    let engine = engine();
    let session = session(&engine);
    block_on(session.truncate(u32::MAX)).unwrap();
    block_on(session.truncate(0)).unwrap();
    block_on(session.reset()).unwrap();
    assert_eq!(block_on(session.fork()).unwrap().position(), 0);
    // Without a GPU there is nothing to suspend.
    for _ in 0..2 {
        engine.suspend(Meanwhile::Leave).unwrap();
        engine.resume().unwrap();
    }
}

#[test]
fn reports_with_nonsense() {
    let gpus = block_on(devices()).unwrap();
    assert!(gpus.iter().all(|gpu| gpu.usable || gpu.reason.is_some()), "{gpus:?}");
    let wanted = DiagnoseOptions {
        mode: Some(DiagnoseMode::Drift),
        prompt_tokens: Some(u32::MAX),
        tokens: Some(0),
        repeats: Some(0),
        seconds: Some(u32::MAX),
        ..DiagnoseOptions::default()
    };
    let long = DiagnoseOptions { tokens: Some(u32::MAX), seconds: Some(1), ..DiagnoseOptions::default() };
    let none = DiagnoseOptions { prompt_tokens: Some(0), ..DiagnoseOptions::default() };
    for (prompt, wanted) in [("", wanted.clone()), ("\0", wanted), ("a", none), ("a", long)] {
        match block_on(diagnose(tiny(), prompt.into(), options(), Some(wanted), None)) {
            Ok(found) => assert!(found.json.starts_with('{'), "{found:?}"),
            Err(error) => assert!(matches!(error, KingletError::Option(_) | KingletError::OutOfMemory(_)), "{error:?}"),
        }
    }
}

#[test]
fn logging_as_often_as_one_likes() {
    for level in [LogLevel::Trace, LogLevel::Off, LogLevel::Error, LogLevel::Off] {
        init_logging(level);
    }
    assert_eq!(log::max_level(), log::LevelFilter::Off);
}

#[test]
fn lines_of_the_log_go_to_whoever_asked_last() {
    init_logging(LogLevel::Off);
    let (first, second) = (LogLines::new(), LogLines::new());
    assert_eq!(block_on(first.next()), None);
    let logger = log::logger();
    let line = |text: String| {
        let mut record = log::Record::builder();
        logger.log(&record.level(log::Level::Warn).target("kinglet::here").args(format_args!("{text}")).build());
    };
    // Nobody reads; the oldest are lost, and nobody waits.
    (0..1000).for_each(|i| line(format!("line {i}")));
    // Other tests may log, too.
    let next = || block_on(second.next()).unwrap();
    let found = std::iter::repeat_with(next).find(|line| line.target == "kinglet::here").unwrap();
    assert_eq!(found.level, LogLevel::Warn);
    let number: usize = found.text.strip_prefix("line ").unwrap().parse().unwrap();
    assert!((1..1000).contains(&number), "{number}");
    drop(second);
    line("to standard error".into());
}
