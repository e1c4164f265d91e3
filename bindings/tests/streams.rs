//! Sessions, streams and tasks on a small random model: the bindings give what the core gives.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{engine, finish, options, session, tiny, tokens};
use kinglet_ffi::{
    DeviceChoice, Effort, Engine, EngineOptions, ExtractOptions, Message, Notification, Role, StopReason, StreamEvent,
    SummarizeOptions, SummaryLength, SummaryStyle, Tone, Work, inspect, plan,
};
use pollster::block_on;

const TEXT: &str =
    "The ferry to the island leaves at seven. Bring a coat, since the wind is cold. Tickets cost four euros.";

#[test]
fn a_stream_is_what_the_core_generates() {
    let engine = engine();
    let found = finish(&session(&engine).generate("One, two,".into(), tokens(40)).unwrap());

    let own = kinglet::Engine::open(
        tiny(),
        &kinglet::Options { device: DeviceChoice::Cpu, threads: Some(1), ..kinglet::Options::default() },
    )
    .unwrap();
    let tokenizer = own.tokenizer();
    let mut ids: Vec<u32> = tokenizer.bos().filter(|_| tokenizer.adds_bos()).into_iter().collect();
    ids.extend(tokenizer.encode("One, two,", kinglet::tokenizer::Special::Plain).unwrap());
    let sampling = kinglet::Sampling { min_tokens: 40, max_tokens: 40, ..kinglet::Sampling::greedy() };
    let mut session = own.session().unwrap();
    let text = session.generate(&ids, &sampling, &kinglet::Cancel::default()).unwrap().text().unwrap();
    assert!(!text.is_empty());
    assert_eq!(found.text, text);
    let stats = &found.stats;
    assert_eq!((stats.tokens, stats.prompt_tokens as usize, stats.stop), (40, ids.len(), Some(StopReason::MaxTokens)));
    assert_eq!((stats.device.as_str(), stats.cached_tokens), ("cpu", 0));
    assert!(stats.decode_tps.unwrap() > 0.0 && stats.ttft_ms.unwrap() > 0.0);
}

#[test]
fn a_conversation_computes_only_what_is_new() {
    let engine = engine();
    let session = session(&engine);
    let ask = |messages: &[(Role, &str)]| {
        let message = |&(role, content): &(Role, &str)| Message { role, content: content.into() };
        let messages: Vec<_> = messages.iter().map(message).collect();
        assert!(engine.count_message_tokens(messages.clone()).unwrap() > 0);
        finish(&session.respond(messages, tokens(5)).unwrap())
    };
    let first = ask(&[(Role::User, "Good morning")]);
    assert_eq!(first.stats.cached_tokens, 0);
    let held = session.position();
    assert!(held > 0);
    let second = ask(&[(Role::User, "Good morning"), (Role::Assistant, &first.text), (Role::User, "And now?")]);
    assert!(second.stats.cached_tokens > 0, "{second:?}");
    assert!(session.position() > held && session.position() <= session.context());
    block_on(session.truncate(3)).unwrap();
    assert_eq!(session.position(), 3);
    block_on(session.reset()).unwrap();
    assert_eq!(session.position(), 0);
    assert_eq!(ask(&[(Role::User, "Good morning")]).text, first.text);
}

#[test]
fn sessions_take_turns_and_do_not_mix() {
    let engine = engine();
    let sessions = [session(&engine), session(&engine)];
    let prompts = ["One, two,", "The bird sang"];
    let alone: Vec<_> =
        prompts.iter().map(|p| finish(&session(&engine).generate((*p).into(), tokens(30)).unwrap()).text).collect();
    assert_ne!(alone[0], alone[1]);
    let streams: Vec<_> =
        sessions.iter().zip(prompts).map(|(s, p)| s.generate(p.into(), tokens(30)).unwrap()).collect();
    // The last is read first.
    let second = finish(&streams[1]).text;
    assert_eq!([finish(&streams[0]).text, second], *alone);
}

#[test]
fn a_saved_session_goes_on_as_the_one_that_was_kept() {
    let engine = engine();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("session").display().to_string();
    let kept = session(&engine);
    finish(&kept.generate("A long time ago".into(), tokens(10)).unwrap());
    block_on(kept.save(path.clone())).unwrap();
    let fork = block_on(kept.fork()).unwrap();
    let work = Work::new();
    let restored = block_on(engine.restore(path, Some(work.clone()))).unwrap();
    assert_eq!([fork.position(), restored.position()], [kept.position(); 2]);
    let go_on = |session: &kinglet_ffi::Session| finish(&session.generate(" and".into(), tokens(20)).unwrap()).text;
    let text = go_on(&kept);
    assert_eq!([go_on(&fork), go_on(&restored)], [text.as_str(); 2]);
}

#[test]
fn tasks_give_whole_results() {
    let engine = engine();
    let summary = SummarizeOptions {
        style: Some(SummaryStyle::Bullets),
        length: Some(SummaryLength::Sentences { count: 2 }),
        sampling: Some(tokens(8)),
    };
    let found = finish(&engine.summarize(TEXT.into(), summary).unwrap());
    assert!(found.parts > 0 && found.stats.tokens > 0 && !found.text.is_empty(), "{found:?}");
    for tone in [Tone::Friendly, Tone::Proofread, Tone::Custom { words: "like a pirate".into() }] {
        let found = finish(&engine.rewrite(TEXT.into(), tone, Some(tokens(8))).unwrap());
        assert!(found.stats.tokens > 0, "{found:?}");
    }
    let note = |app: &str, text: &str| Notification {
        app: app.into(),
        title: "Ann".into(),
        text: text.into(),
        time: String::new(),
    };
    let list = vec![note("Mail", TEXT), note("Chat", "Hi"), note("Mail", "More of it.")];
    let found = finish(&engine.digest(list, Some(tokens(8))).unwrap());
    let groups: Vec<_> = found.groups.iter().map(|group| (group.app.as_str(), group.count)).collect();
    assert_eq!(groups, [("Mail", 2), ("Chat", 1)]);

    let labels = || vec!["travel".to_owned(), "work".into(), "food".into()];
    let classify = |text: &str| block_on(engine.classify(text.into(), labels(), true, None)).unwrap();
    let found = classify(TEXT);
    let sum: f64 = found.probabilities.iter().map(|one| one.probability).sum();
    assert!((sum - 1.0).abs() < 1e-9 && found.probabilities.len() == 3 && found.label.is_some());
    // Labels that were calibrated are not calibrated again, however hard it works.
    engine.set_effort(Effort::Half).unwrap();
    assert_eq!(engine.effort().unwrap(), Effort::Half);
    let again = classify(TEXT);
    assert_eq!(again.probabilities, found.probabilities);
    assert!(
        again.stats.prompt_tokens < found.stats.prompt_tokens,
        "{} {}",
        again.stats.prompt_tokens,
        found.stats.prompt_tokens
    );
    // Unless what is known of them was given back.
    block_on(engine.trim()).unwrap();
    let anew = classify(TEXT);
    assert_eq!((&anew.probabilities, anew.stats.prompt_tokens), (&found.probabilities, found.stats.prompt_tokens));

    let fields = vec!["time".to_owned(), "price".into()];
    let extract = ExtractOptions { verbatim: true, max_tokens: 5 };
    let found = block_on(engine.extract(TEXT.into(), fields.clone(), extract, None)).unwrap();
    assert_eq!(found.fields.iter().map(|field| &field.name).collect::<Vec<_>>(), [&fields[0], &fields[1]]);
    let found = block_on(engine.reply("Will you come?".into(), None, None)).unwrap();
    assert_eq!(found.suggestions.len(), 3);
}

#[test]
fn a_long_text_tells_its_parts() {
    let options = EngineOptions { context: Some(256), ..options() };
    let engine = block_on(Engine::load(tiny(), options, None)).unwrap();
    let long = TEXT.repeat(12);
    let sampling = SummarizeOptions { sampling: Some(tokens(4)), ..SummarizeOptions::default() };
    let stream = engine.summarize(long, sampling).unwrap();
    let (events, error) = common::drain(&stream);
    assert_eq!(error, None);
    let parts: Vec<_> = events
        .iter()
        .filter_map(|e| if let StreamEvent::Progress { part, round: 0, .. } = e { Some(*part) } else { None })
        .collect();
    assert!(parts.len() > 1 && parts.is_sorted(), "{parts:?}");
    let Some(StreamEvent::Done { result }) = events.last() else { panic!("{events:?}") };
    assert_eq!(result.parts as usize, parts.len());
}

#[test]
fn facts_are_the_cores() {
    let work = Work::new();
    assert_eq!(work.progress().fraction, 0.0);
    let engine = block_on(Engine::load(tiny(), options(), Some(work.clone()))).unwrap();
    let progress = work.progress();
    assert!(progress.total > 0 && progress.done == progress.total && progress.fraction == 1.0, "{progress:?}");
    let info = engine.info();
    assert_eq!(block_on(inspect(tiny())).unwrap(), info);
    assert_eq!((info.architecture.as_str(), info.file_bytes), ("llama", std::fs::metadata(tiny()).unwrap().len()));
    assert!(info.parameters > 0 && info.vocab > 0 && info.layers > 0 && info.trained_context > 0);
    let memory = block_on(plan(tiny(), options())).unwrap();
    assert_eq!(memory, engine.memory());
    assert_eq!(memory.total, memory.weights + memory.kv + memory.scratch);
    let device = engine.device().unwrap();
    assert_eq!((device.kind.as_str(), device.reason.as_str()), ("cpu", "it was asked for"));
    let ids = engine.tokenize(TEXT.into()).unwrap();
    assert_eq!(
        (ids.len(), engine.detokenize(ids).unwrap().as_str()),
        (engine.count_tokens(TEXT.into()).unwrap() as usize, TEXT)
    );
    assert_eq!(kinglet_ffi::version(), env!("CARGO_PKG_VERSION"));

    let bench = block_on(engine.benchmark(32, 8, 3, Some(work.clone()))).unwrap();
    assert!(
        bench.prefill_tps > 0.0 && bench.decode_samples.len() == 3 && bench.decode_samples.contains(&bench.decode_tps)
    );
    assert_eq!((work.progress().done, work.progress().total), (3, 3));
}
