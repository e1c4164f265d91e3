//! Sessions and streams over a program whose logits are scripted.

#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::generate::{Constraint, Sampling, StopReason};
use std::any::Any;

mod wrong_device;

/// Logits as a function of all ids so far.
type Script = Box<dyn Fn(&[u32]) -> Vec<f32> + Send>;

struct Fake {
    kind: &'static str,
    script: Script,
    /// Positions that a rollback cannot go below.
    oldest: usize,
}

const CHUNK: usize = 2;

struct FakeState {
    ids: Vec<u32>,
    context: usize,
    oldest: usize,
}

impl Program for Fake {
    fn device(&self) -> Device {
        Device::new(self.kind, String::new())
    }

    fn memory(&self, _context: usize) -> Memory {
        Memory::default()
    }

    fn state(&self, context: usize) -> Result<Box<dyn State>> {
        Ok(Box::new(FakeState { ids: Vec::new(), context, oldest: self.oldest }))
    }

    fn run(
        &mut self,
        state: &mut dyn State,
        ids: &[u32],
        want: Want,
        logits: &mut Vec<f32>,
        cancel: &Cancel,
    ) -> Result<()> {
        let state = state.as_any().downcast_mut::<FakeState>().unwrap();
        assert!(state.ids.len() + ids.len() <= state.context, "the session must check");
        logits.clear();
        let last = state.ids.len() + ids.len();
        for chunk in ids.chunks(CHUNK) {
            cancel.check()?;
            for &id in chunk {
                state.ids.push(id);
                if want == Want::All || (want != Want::Nothing && state.ids.len() == last) {
                    logits.extend((self.script)(&state.ids));
                }
            }
        }
        Ok(())
    }

    fn read(&self, _node: crate::graph::NodeId) -> Option<Vec<f32>> {
        None
    }
}

impl State for FakeState {
    fn position(&self) -> usize {
        self.ids.len()
    }

    fn context(&self) -> usize {
        self.context
    }

    fn truncate(&mut self, to: usize) -> Result<()> {
        if to < self.oldest {
            return Err(Error::Rollback { to });
        }
        self.ids.truncate(to);
        Ok(())
    }

    fn fork(&self) -> Result<Box<dyn State>> {
        Ok(Box::new(Self { ids: self.ids.clone(), ..*self }))
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

/// An engine with a tiny file's tokenizer around a script.
fn engine_with(context: usize, oldest: usize, script: impl Fn(&[u32]) -> Vec<f32> + Send + 'static) -> Engine {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny/tiny-llama-q4_0.gguf");
    let options = Options { context: Some(context), ..Options::default() };
    let program = Fake { kind: "fake", script: Box::new(script), oldest };
    open::assemble(Gguf::open(Path::new(path)).unwrap(), &options, |_, _, _| Ok(Chosen::asked(Box::new(program))))
        .unwrap()
}

/// One logit is 1, the others 0.
fn one(vocab: usize, id: u32) -> Vec<f32> {
    let mut logits = vec![0.0; vocab];
    logits[id as usize] = 1.0;
    logits
}

const PROMPT: [u32; 3] = [5, 6, 7];

/// Answers [`PROMPT`] with a text, then ends.
fn says(text: &str, context: usize) -> Engine {
    let tokenizer = engine_with(1, 0, |_| Vec::new()).tokenizer().clone();
    let ids = ids_of(&tokenizer, text);
    let (vocab, end) = (tokenizer.vocab_size(), tokenizer.eos().unwrap());
    engine_with(context, 0, move |fed| {
        let said = fed.len().checked_sub(PROMPT.len()).and_then(|at| ids.get(at));
        one(vocab, said.copied().unwrap_or(end))
    })
}

fn ids_of(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode(text, crate::tokenizer::Special::Plain).unwrap()
}

fn greedy() -> Sampling {
    Sampling::greedy()
}

const TEXT: &str = "reaction to 你好 😀 the ending";

#[test]
fn the_stream_is_whole_characters_and_ends_with_the_text() {
    let engine = says(TEXT, 128);
    let mut session = engine.session().unwrap();
    let mut answer = session.generate(&PROMPT, &greedy(), &Cancel::default()).unwrap();
    let pieces: Vec<Piece> = answer.by_ref().map(Result::unwrap).collect();
    assert!(pieces.len() > 5 && pieces.len() < answer.ids().len(), "{pieces:?}");
    assert!(pieces.iter().all(|p| !p.text.is_empty() && !p.text.contains('\u{fffd}')), "{pieces:?}");
    assert_eq!(pieces.iter().map(|p| p.text.as_str()).collect::<String>(), TEXT);
    assert_eq!(answer.stop(), Some(StopReason::EndOfText));
    assert!(answer.next().is_none());

    let tokenizer = engine.tokenizer();
    let expected: Vec<u32> = ids_of(tokenizer, TEXT).into_iter().chain(tokenizer.eos()).collect();
    assert_eq!(answer.ids(), expected, "the id that ended the text is listed");
    let stats = answer.stats();
    assert_eq!((stats.prompt_tokens, stats.cached_tokens, stats.tokens), (3, 0, expected.len()));
    assert!(stats.ttft_ms.is_some() && stats.prefill_tps.is_some() && stats.decode_tps.is_some());
    assert_eq!((stats.device, stats.stop), ("fake", Some(StopReason::EndOfText)));
    assert_eq!(session.ids(), [&PROMPT[..], &expected[..expected.len() - 1]].concat(), "the last id is not fed");
}

#[test]
fn a_stop_string_across_tokens_never_leaks() {
    let engine = says(TEXT, 128);
    for (stop, expected) in [("你好 😀 t", "reaction to "), ("tion", "reac"), ("nothing", TEXT), ("ending!", TEXT)]
    {
        let mut session = engine.session().unwrap();
        let sampling = Sampling { stop: vec![stop.into()], ..greedy() };
        let mut answer = session.generate(&PROMPT, &sampling, &Cancel::default()).unwrap();
        assert_eq!(answer.text().unwrap(), expected);
        let reason = if expected == TEXT { StopReason::EndOfText } else { StopReason::StopString };
        assert_eq!(answer.stop(), Some(reason));
    }
}

#[test]
fn max_tokens_counts_tokens() {
    let engine = says(TEXT, 128);
    let mut session = engine.session().unwrap();
    let mut answer = session.generate(&PROMPT, &greedy().max_tokens(3), &Cancel::default()).unwrap();
    let text = answer.text().unwrap();
    assert_eq!((answer.ids().len(), answer.stop()), (3, Some(StopReason::MaxTokens)));
    assert!(TEXT.starts_with(&text) && !text.is_empty());
}

#[test]
fn a_full_context_is_a_stop_and_a_prompt_beyond_it_an_error() {
    let engine = says(TEXT, 6);
    let mut session = engine.session().unwrap();
    let mut answer = session.generate(&PROMPT, &greedy(), &Cancel::default()).unwrap();
    answer.text().unwrap();
    // Three more positions, and the token after the last needs none.
    assert_eq!((answer.ids().len(), answer.stop()), (4, Some(StopReason::ContextFull)));
    assert_eq!(session.room(), 0);

    let mut session = engine.session().unwrap();
    let error = session.generate(&[5; 7], &greedy(), &Cancel::default()).err().unwrap();
    assert!(matches!(error, Error::ContextFull { needed: 7, context: 6 }), "{error}");
    assert!(matches!(session.feed(&[5; 7], &Cancel::default()), Err(Error::ContextFull { .. })));
    assert!(session.ids().is_empty());
}

#[test]
fn cancelling_keeps_what_is_there_and_is_no_error() {
    let engine = says(TEXT, 128);
    let cancel = Cancel::default();
    let mut session = engine.session().unwrap();
    // The stop string holds text back; cancelling lets it out.
    let sampling = Sampling { stop: vec!["reaction for".into()], ..greedy() };
    let mut answer = session.generate(&PROMPT, &sampling, &cancel).unwrap();
    while answer.ids().len() < 2 && answer.stop().is_none() {
        answer.step().unwrap();
    }
    cancel.cancel();
    let rest = answer.text().unwrap();
    assert!(!rest.is_empty() && TEXT.starts_with(&rest), "{rest:?}");
    assert_eq!((answer.ids().len(), answer.stop()), (2, Some(StopReason::Cancelled)));

    let mut answer = session.generate(&[1], &greedy(), &cancel).unwrap();
    assert!(answer.next().is_none());
    assert_eq!((answer.stop(), answer.stats().tokens), (Some(StopReason::Cancelled), 0));
}

#[test]
fn cancelling_a_prompt_leaves_whole_chunks() {
    let cancel = Cancel::default();
    let from_inside = cancel.clone();
    let engine = engine_with(64, 0, move |fed| {
        if fed.len() == 3 {
            from_inside.cancel();
        }
        vec![0.0; 320]
    });
    let mut session = engine.session().unwrap();
    let result = session.feed_for(&[1, 2, 3, 4, 5, 6, 7], Want::All, &cancel);
    assert!(matches!(result, Err(Error::Cancelled)));
    assert_eq!(session.ids(), [1, 2, 3, 4]);
    assert!(session.logits().is_empty());
}

/// Logits that tell every history apart.
fn history(fed: &[u32]) -> Vec<f32> {
    let mut hash = 7u64;
    for &id in fed {
        hash = hash.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(u64::from(id) + 1);
    }
    let vocab = 1000;
    (0..vocab).map(|i| (hash.wrapping_mul(2 * i + 1) >> 40) as f32).collect()
}

/// The same for the vocabulary of the tiny file.
fn history_engine(oldest: usize) -> Engine {
    let vocab = engine_with(1, 0, |_| Vec::new()).vocab();
    engine_with(64, oldest, move |fed| history(fed)[..vocab].to_vec())
}

#[test]
fn forks_are_independent() {
    let engine = history_engine(0);
    let go = Cancel::default();
    let fresh = |ids: &[u32]| {
        let mut session = engine.session().unwrap();
        session.feed(ids, &go).unwrap();
        session.logits().to_vec()
    };
    let mut a = engine.session().unwrap();
    a.feed(&[1, 2, 3], &go).unwrap();
    let mut b = a.fork().unwrap();
    assert_eq!((b.ids(), b.logits()), (a.ids(), a.logits()));
    a.feed(&[4], &go).unwrap();
    b.feed(&[5, 6], &go).unwrap();
    assert_eq!(a.logits(), fresh(&[1, 2, 3, 4]));
    assert_eq!(b.logits(), fresh(&[1, 2, 3, 5, 6]));
    a.truncate(1).unwrap();
    b.feed(&[7], &go).unwrap();
    assert_eq!(b.logits(), fresh(&[1, 2, 3, 5, 6, 7]));
    a.feed(&[9], &go).unwrap();
    assert_eq!(a.logits(), fresh(&[1, 9]));
}

#[test]
fn all_rows_are_those_of_one_by_one() {
    let engine = history_engine(0);
    let go = Cancel::default();
    let ids = [3, 1, 4, 1, 5];
    let mut session = engine.session().unwrap();
    let rows = session.feed_for(&ids, Want::All, &go).unwrap().to_vec();
    for (i, row) in rows.chunks(engine.vocab()).enumerate() {
        let mut one_by_one = engine.session().unwrap();
        ids[..=i].iter().for_each(|&id| one_by_one.feed(&[id], &go).unwrap());
        assert_eq!(row, one_by_one.logits());
    }
    assert_eq!(rows.len(), ids.len() * engine.vocab());
    assert_eq!(session.logits(), &rows[4 * engine.vocab()..]);
    assert!(session.feed_for(&[2], Want::Nothing, &go).unwrap().is_empty());
    assert!(session.logits().is_empty());
}

#[test]
fn rewinding_keeps_the_common_prefix() {
    let go = Cancel::default();
    let mut session = history_engine(0).session().unwrap();
    session.feed(&[1, 2, 3, 4], &go).unwrap();
    assert_eq!(session.rewind_to_common_prefix(&[1, 2, 9, 9, 9]).unwrap(), 2);
    assert_eq!(session.ids(), [1, 2]);
    session.feed(&[3, 4], &go).unwrap();
    assert_eq!(session.rewind_to_common_prefix(&[1, 2, 3, 4]).unwrap(), 3, "one is left to feed");
    assert_eq!(session.rewind_to_common_prefix(&[8]).unwrap(), 0);
    assert_eq!(session.rewind_to_common_prefix(&[]).unwrap(), 0);

    // A window that has moved on: start again.
    let mut session = history_engine(3).session().unwrap();
    session.feed(&[1, 2, 3, 4], &go).unwrap();
    assert!(matches!(session.truncate(2), Err(Error::Rollback { to: 2 })));
    assert_eq!(session.ids(), [1, 2, 3, 4]);
    assert_eq!(session.rewind_to_common_prefix(&[1, 2, 3, 5]).unwrap(), 3);
    assert_eq!(session.rewind_to_common_prefix(&[1, 9]).unwrap(), 0);
    session.feed(&[1, 9], &go).unwrap();
    let mut fresh = history_engine(0).session().unwrap();
    fresh.feed(&[1, 9], &go).unwrap();
    assert_eq!(session.logits(), fresh.logits());
}

#[test]
fn a_prompt_continues_what_the_session_holds() {
    let engine = says("the end", 64);
    let mut session = engine.session().unwrap();
    session.feed(&PROMPT[..2], &Cancel::default()).unwrap();
    let mut answer = session.generate(&PROMPT[2..], &greedy(), &Cancel::default()).unwrap();
    assert_eq!(answer.text().unwrap(), "the end");
    let stats = answer.stats();
    assert_eq!((stats.prompt_tokens, stats.cached_tokens), (3, 2));

    session.reset().unwrap();
    session.feed(&PROMPT, &Cancel::default()).unwrap();
    let mut answer = session.generate(&[], &greedy(), &Cancel::default()).unwrap();
    assert_eq!(answer.text().unwrap(), "the end", "an empty prompt continues");
}

#[test]
fn what_cannot_be_fed_is_named() {
    let engine = says("x", 64);
    let (vocab, go) = (engine.vocab(), Cancel::default());
    let mut session = engine.session().unwrap();
    assert!(matches!(session.feed(&[1, vocab as u32], &go), Err(Error::TokenId { .. })));
    assert!(matches!(session.generate(&[u32::MAX], &greedy(), &go), Err(Error::TokenId { .. })));
    let empty = session.generate(&[], &greedy(), &go).err().unwrap();
    assert!(matches!(&empty, Error::Option { name, .. } if name == "prompt"), "{empty}");
    assert!(session.ids().is_empty());
}

#[test]
fn a_logit_that_is_no_number_ends_the_stream_with_its_place() {
    let vocab = says("x", 64).vocab();
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let engine = engine_with(64, 0, move |fed| {
            let mut logits = one(vocab, 9);
            if fed.len() == 5 {
                logits[17] = bad;
            }
            logits
        });
        let mut session = engine.session().unwrap();
        // Where only the greatest logit is asked for, -inf says that one was left out.
        let sampling = if bad == f32::NEG_INFINITY { Sampling::default() } else { greedy() };
        let mut answer = session.generate(&PROMPT, &sampling, &Cancel::default()).unwrap();
        let error = answer.by_ref().find_map(Result::err).unwrap();
        assert!(matches!(error, Error::NonFinite { device: "fake", position: 4, id: 17, .. }), "{error}");
        assert!(answer.next().is_none());
    }
}

#[test]
fn a_panic_on_one_thread_is_an_error_on_the_others() {
    let engine = engine_with(64, 0, |fed| panic!("broken device at {fed:?}"));
    let other = engine.clone();
    let thread = std::thread::spawn(move || other.session().unwrap().feed(&[1], &Cancel::default()));
    assert!(thread.join().is_err());
    assert!(matches!(engine.session().err(), Some(Error::Poisoned)));
}

/// Lets only some ids through, a number of times.
struct Only(Vec<u32>, usize);

impl Constraint for Only {
    fn mask(&mut self, logits: &mut [f32]) -> Result<()> {
        for (id, logit) in logits.iter_mut().enumerate() {
            if !self.0.contains(&(id as u32)) {
                *logit = f32::NEG_INFINITY;
            }
        }
        Ok(())
    }

    fn accept(&mut self, _id: u32) -> Result<()> {
        self.1 -= 1;
        Ok(())
    }

    fn restart(&mut self) -> Result<()> {
        self.1 = 4;
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.1 == 0
    }
}

#[test]
fn a_constraint_decides_what_may_come_and_when_it_is_enough() {
    let engine = history_engine(0);
    let mut only = Only(vec![40, 50, 60], 4);
    let mut session = engine.session().unwrap();
    let sampling = Sampling { seed: 3, ..Sampling::default() };
    let mut answer = session.generate_within(&PROMPT, &sampling, &mut only, &Cancel::default()).unwrap();
    answer.text().unwrap();
    assert!(answer.ids().iter().all(|id| [40, 50, 60].contains(id)));
    assert_eq!((answer.ids().len(), answer.stop()), (4, Some(StopReason::Constraint)));

    let mut nothing = Only(vec![], 1);
    let mut answer = session.generate_within(&[], &sampling, &mut nothing, &Cancel::default()).err();
    assert!(answer.take().is_none(), "the session has logits");
    let error = session.generate_within(&[8], &sampling, &mut Only(vec![], 1), &Cancel::default()).unwrap().text();
    assert!(matches!(error, Err(Error::Constraint(_))));
}

#[test]
fn a_text_does_not_end_before_its_least_tokens() {
    let engine = says("the end", 64);
    let mut session = engine.session().unwrap();
    for (min_tokens, tokens, stop) in [(20, 21, StopReason::EndOfText), (usize::MAX, 30, StopReason::MaxTokens)] {
        session.reset().unwrap();
        let sampling = Sampling { min_tokens, ..greedy().max_tokens(30) };
        let mut answer = session.generate(&PROMPT, &sampling, &Cancel::default()).unwrap();
        answer.text().unwrap();
        assert_eq!((answer.ids().len(), answer.stop()), (tokens, Some(stop)));
        assert!(answer.ids().iter().take(20).all(|&id| !engine.tokenizer().is_end(id)));
    }
}

#[test]
fn options_that_make_no_sense_are_named() {
    let config = says("x", 64).config().clone();
    let d = Options::default;
    let cases = [
        (Options { threads: Some(0), ..d() }, "threads"),
        (Options { threads: Some(100_000), ..d() }, "threads"),
        (Options { prefill_chunk: 0, ..d() }, "prefill_chunk"),
        (Options { prefill_chunk: 1 << 40, ..d() }, "prefill_chunk"),
        (Options { context: Some(0), ..d() }, "context"),
        (Options { context: Some(config.context + 1), ..d() }, "context"),
    ];
    for (options, option) in cases {
        match options.validate(&config) {
            Err(Error::Option { name, .. }) => assert_eq!(name, option),
            other => panic!("{option}: {other:?}"),
        }
    }
    assert!(d().validate(&config).is_ok());
    assert_eq!(d().context(&config), config.context.min(4096));
}

/// What a phone that is hot asks for costs time, and nothing else.
#[test]
fn an_answer_is_the_same_with_less_effort() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny/tiny-gemma3-q8_0.gguf");
    let options = Options { device: DeviceChoice::Cpu, threads: Some(3), prefill_chunk: 8, ..Options::default() };
    let engine = Engine::open(path, &options).unwrap();
    let prompt: Vec<u32> = (0..40).map(|i| 3 + i * 7 % 200).collect();
    let sampling = Sampling { max_tokens: 12, min_tokens: 12, ..greedy() };
    let answer = |effort| {
        engine.set_effort(effort);
        assert_eq!(engine.effort(), effort);
        let mut session = engine.session().unwrap();
        let mut generation = session.generate(&prompt, &sampling, &Cancel::default()).unwrap();
        generation.by_ref().for_each(|piece| drop(piece.unwrap()));
        (generation.ids().to_vec(), generation.session().logits().to_vec())
    };
    let full = answer(Effort::Full);
    assert_eq!(full.0.len(), 12);
    assert!(answer(Effort::Half) == full && answer(Effort::Quarter) == full && answer(Effort::Full) == full);
}
