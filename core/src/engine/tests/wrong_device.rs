//! A device that turns out to be wrong in the middle of an answer.

use super::*;
use crate::backend::relay::{Prepare, Relay};
use std::sync::Arc;

/// An engine on a device that says something else than the CPU does. Where it may not go on on the CPU, it is `strict`.
fn doubtful(
    oldest: usize,
    strict: bool,
    gpu: impl Fn(&[u32]) -> Vec<f32> + Send + 'static,
    cpu: impl Fn(&[u32]) -> Vec<f32> + Send + Sync + 'static,
) -> Engine {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tiny/tiny-llama-q4_0.gguf");
    let device = if strict { DeviceChoice::Gpu } else { DeviceChoice::Auto };
    let options = Options { device, context: Some(256), ..Options::default() };
    let gpu: Box<dyn Program> = Box::new(Fake { kind: "gpu", script: Box::new(gpu), oldest });
    let cpu = Arc::new(cpu);
    let on_cpu = move || -> Prepare {
        let cpu = cpu.clone();
        Box::new(move |_: &Cancel| {
            let cpu = cpu.clone();
            Ok(Box::new(Fake { kind: "cpu", script: Box::new(move |fed| cpu(fed)), oldest: 0 }))
        })
    };
    open::assemble(Gguf::open(Path::new(path)).unwrap(), &options, |_, _, _| {
        let witness = Some(on_cpu());
        let program = if strict { gpu } else { Box::new(Relay::new(gpu, on_cpu())) };
        Ok(Chosen { program, why: String::new(), witness, qualified: false })
    })
    .unwrap()
}

/// Logits that depend on all ids before, without a token that ends a text, nor one that is no text.
fn scripted(tokenizer: &Tokenizer, fed: &[u32]) -> Vec<f32> {
    let start = fed.iter().fold(17u32, |sum, id| sum.wrapping_mul(31).wrapping_add(*id));
    let no_text = |id: u32| tokenizer.is_end(id) || tokenizer.is_reserved(id);
    let logit = |id: u32| if no_text(id) { -50.0 } else { (start.wrapping_mul(id * 2 + 1) >> 16) as f32 / 1e3 };
    (0..tokenizer.vocab_size() as u32).map(logit).collect()
}

/// What an engine answers, as a screen shows it; the most that was taken back, and after how many tokens it switched.
fn shown(engine: &Engine, prompt: &[u32], sampling: &Sampling) -> (String, usize, Vec<usize>) {
    let mut session = engine.session().unwrap();
    session.feed(&[3, 4], &Cancel::default()).unwrap();
    let mut answer = session.generate(prompt, sampling, &Cancel::default()).unwrap();
    let (mut screen, mut taken) = (String::new(), 0);
    for piece in answer.by_ref() {
        let piece = piece.unwrap();
        assert!(piece.take_back > 0 || !piece.text.is_empty());
        taken = taken.max(piece.take_back);
        piece.add_to(&mut screen);
    }
    assert_eq!(screen, engine.tokenizer().decode_text(answer.ids()).unwrap());
    let switched = answer.switched().iter().map(|switched| switched.at_token).collect();
    assert_eq!(answer.session().ids(), [&[3, 4], prompt, &answer.ids()[..answer.ids().len() - 1]].concat());
    (screen, taken, switched)
}

/// What a broken driver may make of logits; how many tokens there are when it is noticed, where it begins with the 8th
/// and the answer is audited after 16.
type Broken = (&'static str, usize, fn(&Tokenizer, &[u32]) -> Vec<f32>);
const BROKEN: [Broken; 6] = [
    ("no text", 8, |t, _| one(t.vocab_size(), t.bos().unwrap()).iter().map(|x| x * 90.0).collect()),
    ("flat", 11, |t, fed| scripted(t, fed).iter().map(|x| x.min(0.0)).collect()),
    ("certain", 11, |t, fed| one(t.vocab_size(), 40 + fed.len() as u32).iter().map(|x| x * 99.0).collect()),
    ("again and again", 16, |t, _| one(t.vocab_size(), 40).iter().map(|x| x * 25.0).collect()),
    ("plausible", 16, |t, fed| scripted(t, &[fed, &[1]].concat())),
    ("not a number", 7, |t, _| vec![f32::NAN; t.vocab_size()]),
];

#[test]
fn what_a_wrong_device_said_is_taken_back() {
    let tokenizer = says("x", 8).tokenizer().clone();
    let t = tokenizer.clone();
    let right = move |fed: &[u32]| scripted(&t, fed);
    let sampled = Sampling { seed: 5, temperature: 0.7, ..Sampling::default() };
    for sampling in [greedy().max_tokens(40), sampled.max_tokens(40)] {
        for prompt in [&PROMPT[..], &[]] {
            let (text, taken, switched) = shown(&doubtful(0, false, right.clone(), right.clone()), prompt, &sampling);
            assert_eq!((taken, switched.len()), (0, 0), "nothing was wrong");
            let from = 2 + prompt.len() + 7;
            for ((what, at, broken), oldest) in BROKEN.into_iter().flat_map(|broken| [(broken, 0), (broken, 9)]) {
                let t = tokenizer.clone();
                let wrong = move |fed: &[u32]| if fed.len() < from { scripted(&t, fed) } else { broken(&t, fed) };
                let engine = doubtful(oldest, false, wrong.clone(), right.clone());
                let (again, taken, switched) = shown(&engine, prompt, &sampling);
                assert_eq!(again, text, "{what}");
                assert!(switched == [at], "{what}: {switched:?} tokens");
                assert_eq!(taken > 0, at > 8, "{what}: {taken}");
                assert_eq!(engine.device().kind, "cpu");
                // The next answer is the other device's from the beginning.
                assert_eq!(shown(&engine, prompt, &sampling), (text.clone(), 0, vec![]));

                let engine = doubtful(oldest, true, wrong, right.clone());
                let mut session = engine.session().unwrap();
                session.feed(&[3, 4], &Cancel::default()).unwrap();
                let error = session.generate(prompt, &sampling, &Cancel::default()).unwrap().text();
                match (what, error) {
                    // Who asks for the GPU is told of garbage alone: it is not audited.
                    ("plausible", Ok(wrong)) => assert_ne!(wrong, text),
                    ("not a number", Err(Error::NonFinite { .. })) | (_, Err(Error::Distrusted { .. })) => {}
                    (_, other) => panic!("{what}: {other:?}"),
                }
            }
        }
    }
}

#[test]
fn a_model_may_repeat_itself() {
    let vocab = says("x", 8).vocab();
    let same = move |_: &[u32]| one(vocab, 40);
    let engine = doubtful(0, false, same, same);
    let (text, taken, switched) = shown(&engine, &PROMPT, &greedy().max_tokens(100));
    assert_eq!((taken, switched.len()), (0, 0));
    assert_eq!(text, engine.tokenizer().decode_text(&[40; 100]).unwrap());
}

#[test]
fn a_form_is_begun_again_with_its_text() {
    let tokenizer = says("x", 8).tokenizer().clone();
    let t = tokenizer.clone();
    let right = move |fed: &[u32]| scripted(&t, fed);
    let answer = |engine: &Engine| {
        let mut only = Only(vec![40, 50, 60], 4);
        let mut session = engine.session().unwrap();
        let mut answer = session.generate_within(&PROMPT, &greedy(), &mut only, &Cancel::default()).unwrap();
        answer.text().unwrap();
        assert_eq!(answer.stop(), Some(StopReason::Constraint));
        (answer.ids().to_vec(), answer.switched().len())
    };
    let (ids, none) = answer(&doubtful(0, false, right.clone(), right.clone()));
    assert_eq!((ids.len(), none), (4, 0));
    let wrong = move |fed: &[u32]| scripted(&tokenizer, &[fed, &[1]].concat());
    assert_eq!(answer(&doubtful(0, false, wrong, right)), (ids, 1));
}

/// Who cancels in the moment that a device is found out keeps nothing of what it said.
#[test]
fn nothing_wrong_stays_after_a_cancellation() {
    let tokenizer = says("x", 8).tokenizer().clone();
    let cancel = Cancel::default();
    let (t, stop) = (tokenizer.clone(), cancel.clone());
    let right = move |fed: &[u32]| {
        // The last of the rows that are judged together: nobody looks again before the answer begins anew.
        if fed.len() == 8 {
            stop.cancel();
        }
        scripted(&t, fed)
    };
    let wrong = move |fed: &[u32]| one(tokenizer.vocab_size(), 40 + fed.len() as u32);
    let engine = doubtful(0, false, wrong, right);
    let mut session = engine.session().unwrap();
    let mut answer = session.generate(&PROMPT[..1], &greedy().max_tokens(17), &cancel).unwrap();
    let mut screen = String::new();
    for piece in answer.by_ref() {
        piece.unwrap().add_to(&mut screen);
    }
    assert_eq!((answer.stop(), screen.as_str()), (Some(StopReason::Cancelled), ""));
}

/// The second device is prepared in the middle of a run, which can be cancelled meanwhile; nothing is forgotten then.
#[test]
fn preparing_the_other_device_can_be_cancelled() {
    let gpu = Fake { kind: "gpu", script: Box::new(|_| vec![f32::NAN; 8]), oldest: 0 };
    let prepare: Prepare = Box::new(|cancel| {
        cancel.check()?;
        Ok(Box::new(Fake { kind: "cpu", script: Box::new(|_| vec![1.0; 8]), oldest: 0 }))
    });
    let mut relay = Relay::new(Box::new(gpu), prepare);
    let mut state = relay.state(16).unwrap();
    let (mut logits, cancelled) = (Vec::new(), Cancel::default());
    cancelled.cancel();
    let mut run = |cancel: &Cancel| {
        let result = relay.run(state.as_mut(), &[1, 2], Want::Last, &mut logits, cancel);
        (result, relay.switches().to_vec(), state.position())
    };
    let (result, switches, position) = run(&cancelled);
    assert!(matches!(result, Err(Error::Cancelled)) && switches.is_empty() && position == 0, "{result:?} {position}");
    let (result, switches, position) = run(&Cancel::default());
    assert!(result.is_ok() && position == 2, "{result:?}");
    assert_eq!(switches.iter().map(|switch| (switch.from, switch.to)).collect::<Vec<_>>(), [("gpu", "cpu")]);
}
