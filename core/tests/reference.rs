//! What every program promises, shown on the reference interpreter with tiny models.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::models;
use kinglet::Error;
use kinglet::backend::reference::Reference;
use kinglet::backend::{Cancel, Program, State, Want};

/// Its local layers see 8 positions, the sixth of its 7 layers all.
const WINDOWED: &str = "tiny/tiny-gemma3-q8_0.gguf";
const IDS: [u32; 24] =
    [2, 11, 40, 300, 77, 5, 9, 120, 33, 34, 35, 280, 281, 64, 12, 13, 2, 200, 150, 99, 98, 97, 7, 310];

fn program(file: &str, threads: usize, chunk: usize) -> Reference {
    let (graph, weights) = models::open(&models::data(file));
    Reference::prepare(graph, weights, threads, chunk).unwrap()
}

fn feed(program: &mut Reference, state: &mut dyn State, ids: &[u32], want: Want) -> Vec<f32> {
    let mut logits = vec![f32::NAN; 3]; // what was there must not matter
    program.run(state, ids, want, &mut logits, &Cancel::default()).unwrap();
    logits
}

fn all(program: &mut Reference) -> Vec<f32> {
    let mut state = program.state(IDS.len()).unwrap();
    feed(program, &mut *state, &IDS, Want::All)
}

#[test]
fn threads_and_chunks_do_not_change_a_bit() {
    let golden = all(&mut program(WINDOWED, 1, 64));
    assert_eq!(golden.len(), IDS.len() * 320);
    for (threads, chunk) in [(2, 64), (3, 7), (8, 1), (1, 5), (500, 24)] {
        assert_eq!(all(&mut program(WINDOWED, threads, chunk)), golden, "{threads} threads, chunks of {chunk}");
    }
}

#[test]
fn only_wanted_rows_are_returned() {
    let mut program = program(WINDOWED, 2, 7);
    let golden = all(&mut program);
    let mut state = program.state(IDS.len()).unwrap();
    assert!(feed(&mut program, &mut *state, &IDS[..9], Want::Nothing).is_empty());
    assert_eq!(feed(&mut program, &mut *state, &IDS[9..20], Want::Last), golden[19 * 320..20 * 320]);
    assert_eq!(feed(&mut program, &mut *state, &IDS[20..], Want::All), golden[20 * 320..]);
    assert!(feed(&mut program, &mut *state, &[], Want::Last).is_empty());
    assert_eq!(state.position(), IDS.len());
}

#[test]
fn going_back_and_forking_lead_to_the_same_place() {
    let mut program = program(WINDOWED, 1, 7);
    let golden = all(&mut program);
    let mut state = program.state(IDS.len()).unwrap();
    feed(&mut program, &mut *state, &IDS[..20], Want::Nothing);
    state.truncate(3).unwrap();
    assert_eq!(state.position(), 3);
    state.truncate(30).unwrap();
    assert_eq!(state.position(), 3, "nothing to forget");
    feed(&mut program, &mut *state, &IDS[3..10], Want::Nothing);
    let mut fork = state.fork().unwrap();
    feed(&mut program, &mut *state, &[1, 1, 1], Want::Nothing);
    assert_eq!((state.position(), fork.position(), fork.context()), (13, 10, IDS.len()));
    assert_eq!(feed(&mut program, &mut *fork, &IDS[10..], Want::All), golden[10 * 320..]);
}

#[test]
fn errors_leave_the_state_where_it_was() {
    let mut program = program(WINDOWED, 1, 7);
    let golden = all(&mut program);
    let mut state = program.state(IDS.len()).unwrap();
    feed(&mut program, &mut *state, &IDS[..20], Want::Nothing);
    let mut run = |ids: &[u32], cancel: &Cancel| program.run(&mut *state, ids, Want::Last, &mut Vec::new(), cancel);

    let error = run(&[1, 320], &Cancel::default()).unwrap_err();
    assert!(matches!(error, Error::TokenId { id: 320, vocab: 320 }), "{error}");
    let error = run(&[1; 5], &Cancel::default()).unwrap_err();
    assert!(matches!(error, Error::ContextFull { needed: 25, context: 24 }), "{error}");
    let cancel = Cancel::default();
    cancel.cancel();
    let error = run(&[1; 4], &cancel).unwrap_err();
    assert!(matches!(error, Error::Cancelled), "{error}");

    assert_eq!(state.position(), 20);
    assert_eq!(feed(&mut program, &mut *state, &IDS[20..], Want::All), golden[20 * 320..]);
}

#[test]
fn a_foreign_state_and_zero_options_are_refused() {
    let mut gemma = program(WINDOWED, 1, 7);
    let mut state = program("tiny/tiny-llama-q8_0.gguf", 1, 7).state(8).unwrap();
    let error = gemma.run(&mut *state, &[1], Want::Last, &mut Vec::new(), &Cancel::default()).unwrap_err();
    assert!(matches!(&error, Error::Option { name, .. } if name == "state"), "{error}");
    for (threads, chunk) in [(0, 1), (1, 0)] {
        let (graph, weights) = models::open(&models::data(WINDOWED));
        assert!(matches!(Reference::prepare(graph, weights, threads, chunk), Err(Error::Option { .. })));
    }
}

#[test]
fn nodes_can_be_read_after_a_run_and_only_then() {
    let (graph, weights) = models::open(&models::data(WINDOWED));
    let mut program = Reference::prepare(graph.clone(), weights, 1, 64).unwrap();
    let node = |name: &str| graph.find(name).unwrap();
    assert!(program.read(node("blk.3.attn_q")).is_none());
    let mut state = program.state(8).unwrap();
    let logits = feed(&mut program, &mut *state, &IDS[..8], Want::Last);
    assert_eq!(program.read(node("blk.3.attn_q")).unwrap().len(), 8 * 4 * 32);
    assert_eq!(program.read(graph.logits()).unwrap(), logits);
    assert!(program.read(node("blk.3.attn_kv")).is_none(), "the cache is no value");
    let memory = program.memory(8);
    assert_eq!(memory.kv, 8 * 7 * 2 * 32 * 4);
    assert!(memory.weights > 300_000 && memory.scratch > 0);
}
