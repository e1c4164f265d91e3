//! Each option of sampling by itself, against what its definition says.

#![allow(clippy::unwrap_used)]

use super::*;
use crate::Error;
use proptest::prelude::*;

/// Everything off: the model's own odds.
fn plain() -> Sampling {
    Sampling { temperature: 1.0, top_k: 0, top_p: 1.0, min_p: 0.0, ..Sampling::default() }
}

/// How often each id comes, of `draws` with one seed after another.
fn frequencies(sampling: &Sampling, logits: &[f32], draws: u64) -> Vec<f64> {
    let mut counts = vec![0.0; logits.len()];
    for seed in 0..draws {
        let sampling = Sampling { seed, ..sampling.clone() };
        let id = Sampler::new(&sampling, logits.len()).unwrap().sample(&mut logits.to_vec()).unwrap();
        counts[id as usize] += 1.0 / draws as f64;
    }
    counts
}

/// The softmax of logits, those of `ids` only.
fn softmax(logits: &[f32], ids: &[usize]) -> Vec<f64> {
    let sum: f64 = ids.iter().map(|&id| f64::from(logits[id]).exp()).sum();
    let share = |id| if ids.contains(&id) { f64::from(logits[id]).exp() / sum } else { 0.0 };
    (0..logits.len()).map(share).collect()
}

fn near(found: &[f64], wanted: &[f64]) -> bool {
    // Four standard deviations of 4,000 draws are at most 0.032.
    found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 0.035 && (*w > 0.0 || *f == 0.0))
}

/// ln of 1, 2, 4 and 8 fifteenths, and a token that cannot come.
fn logits() -> Vec<f32> {
    vec![1_f32.ln(), 8_f32.ln(), 2_f32.ln(), f32::NEG_INFINITY, 4_f32.ln()]
}

#[test]
fn greedy_takes_the_largest_and_the_first_of_equals() {
    let mut sampler = Sampler::new(&Sampling::greedy(), 5).unwrap();
    assert_eq!(sampler.sample(&mut logits()).unwrap(), 1);
    assert_eq!(sampler.sample(&mut [0.0, 2.0, f32::NAN, 2.0, 1.0]).unwrap(), 1);
    assert!(matches!(sampler.sample(&mut [f32::NEG_INFINITY; 5]), Err(Error::Constraint(_))));
}

#[test]
fn temperature_one_draws_the_models_odds_and_others_bend_them() {
    let l = logits();
    assert!(near(&frequencies(&plain(), &l, 4000), &softmax(&l, &[0, 1, 2, 4])));
    for temperature in [0.5, 2.0] {
        let bent: Vec<f32> = l.iter().map(|l| l / temperature).collect();
        let found = frequencies(&Sampling { temperature, ..plain() }, &l, 4000);
        assert!(near(&found, &softmax(&bent, &[0, 1, 2, 4])), "{temperature}: {found:?}");
    }
}

#[test]
fn top_k_keeps_the_k_largest() {
    let l = logits();
    for (top_k, kept) in [(1, &[1][..]), (2, &[1, 4]), (3, &[1, 2, 4]), (4, &[0, 1, 2, 4]), (9, &[0, 1, 2, 4])] {
        let found = frequencies(&Sampling { top_k, ..plain() }, &l, 4000);
        assert!(near(&found, &softmax(&l, kept)), "{top_k}: {found:?}");
    }
}

#[test]
fn top_p_keeps_the_fewest_that_reach_it() {
    // Of 15: 8, 12, 14, 15.
    let l = logits();
    for (top_p, kept) in [(0.01, &[1][..]), (0.53, &[1]), (0.54, &[1, 4]), (0.81, &[1, 2, 4]), (0.99, &[0, 1, 2, 4])] {
        let found = frequencies(&Sampling { top_p, ..plain() }, &l, 4000);
        assert!(near(&found, &softmax(&l, kept)), "{top_p}: {found:?}");
    }
}

#[test]
fn min_p_keeps_a_part_of_the_best() {
    let l = logits();
    for (min_p, kept) in [(1.0, &[1][..]), (0.51, &[1]), (0.49, &[1, 4]), (0.2, &[1, 2, 4]), (0.1, &[0, 1, 2, 4])] {
        let found = frequencies(&Sampling { min_p, ..plain() }, &l, 4000);
        assert!(near(&found, &softmax(&l, kept)), "{min_p}: {found:?}");
    }
}

#[test]
fn the_filters_come_after_the_temperature() {
    // At temperature 2 the odds are 1 : 1.41 : 2 : 2.83, so that min-p keeps what it would drop at 1.
    let l = logits();
    let found = frequencies(&Sampling { temperature: 2.0, min_p: 0.34, ..plain() }, &l, 4000);
    assert!(found[0] > 0.1, "{found:?}");
}

/// The logits that are left after an answer.
fn adjusted(sampling: &Sampling, answer: &[u32], logits: &[f32]) -> Vec<f32> {
    let mut sampler = Sampler::new(&Sampling { temperature: 0.0, ..sampling.clone() }, logits.len()).unwrap();
    answer.iter().for_each(|&id| sampler.accept(id));
    let mut logits = logits.to_vec();
    sampler.sample(&mut logits).unwrap();
    logits
}

#[test]
fn penalties_look_at_the_answer() {
    let l = [2.0, -2.0, 1.0, 0.5];
    let repetition = Sampling { repetition_penalty: 2.0, ..plain() };
    assert_eq!(adjusted(&repetition, &[0, 1, 0], &l), [1.0, -4.0, 1.0, 0.5], "once, however often");
    let presence = Sampling { presence_penalty: 0.5, ..plain() };
    assert_eq!(adjusted(&presence, &[0, 2, 0], &l), [1.5, -2.0, 0.5, 0.5]);
    let frequency = Sampling { frequency_penalty: 0.5, ..plain() };
    assert_eq!(adjusted(&frequency, &[0, 2, 0], &l), [1.0, -2.0, 0.5, 0.5]);
    let windowed = Sampling { penalty_window: 2, ..presence };
    assert_eq!(adjusted(&windowed, &[0, 1, 2], &l), [2.0, -2.5, 0.5, 0.5], "only the last two");
    assert_eq!(adjusted(&plain(), &[0, 1, 2], &l), l);
}

#[test]
fn logit_bias_is_added_first() {
    let l = [2.0, -2.0, 1.0, 0.5];
    let sampling = Sampling { logit_bias: vec![(2, 3.0), (0, f32::NEG_INFINITY)], ..plain() };
    assert_eq!(adjusted(&sampling, &[], &l), [f32::NEG_INFINITY, -2.0, 4.0, 0.5]);
    let both = Sampling { repetition_penalty: 2.0, ..sampling };
    assert_eq!(adjusted(&both, &[2], &l)[2], 2.0, "then the penalties");
}

#[test]
fn a_seed_decides_the_whole_row() {
    let row = |seed| -> Vec<u32> {
        let mut sampler = Sampler::new(&Sampling { seed, ..plain() }, 50).unwrap();
        (0..40).map(|_| sampler.sample(&mut [0.0; 50]).unwrap()).collect()
    };
    assert_eq!(row(7), row(7));
    assert_ne!(row(7), row(8));
    // By the published definition of PCG32 (XSH RR), computed elsewhere: the same on every platform.
    assert_eq!(row(7)[..6], [48, 44, 27, 22, 46, 4]);
}

proptest! {
    /// With a vocabulary so large that top-k works through a buffer, it keeps what sorting would keep.
    #[test]
    fn top_k_is_that_of_a_sort(seed: u64, k in 1_usize..400) {
        let mut state = seed | 1;
        let logits: Vec<f32> = (0..3000).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Coarse, so that many are equal.
            (state >> 56) as f32
        }).collect();
        let mut sorted: Vec<(u32, f32)> = (0..).zip(logits.iter().copied()).collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut kept = Vec::new();
        filters::top_k(&logits, k, &mut kept);
        prop_assert_eq!(kept.iter().map(|c| (c.id, c.logit)).collect::<Vec<_>>(), &sorted[..k]);
    }

    /// However a text is cut into pieces, what comes out is the text before the stop string that is complete first, and
    /// at no time more.
    #[test]
    fn stop_strings_never_leak(text in "[ab.]{0,24}", stops in prop::collection::vec("[ab.]{1,4}", 0..3), cuts in prop::collection::vec(1_usize..5, 24)) {
        let end = stops.iter().filter_map(|stop| text.find(stop.as_str()).map(|at| (at + stop.len(), at))).min();
        let end = end.map(|(_, at)| at);
        let wanted = &text[..end.unwrap_or(text.len())];
        let mut strings = StopStrings::new(&stops);
        let (mut out, mut rest, mut stopped) = (String::new(), text.as_str(), false);
        for cut in cuts {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            rest = after;
            let (given, stop) = strings.push(piece);
            out.push_str(&given);
            prop_assert!(wanted.starts_with(&out), "{out:?} of {wanted:?}");
            if stop {
                stopped = true;
                break;
            }
        }
        prop_assert_eq!(stopped, end.is_some());
        if !stopped {
            out.push_str(&strings.finish());
        }
        prop_assert_eq!(out.as_str(), wanted);
    }
}

#[test]
fn text_that_may_become_a_stop_string_is_held_back_and_no_more() {
    let mut strings = StopStrings::new(&["END".into(), "\u{1f426}!".into()]);
    let mut push = |text: &str| strings.push(text);
    assert_eq!(push("the E"), ("the ".into(), false));
    assert_eq!(push("N"), (String::new(), false));
    assert_eq!(push("E"), ("EN".into(), false), "only the new E may still begin one");
    assert_eq!(push("x\u{1f426}"), ("Ex".into(), false));
    assert_eq!(push("! and more"), (String::new(), true));
    let mut strings = StopStrings::new(&["..".into(), "b..b".into()]);
    assert_eq!(strings.push(".b..b"), (".b".into(), true), "the first that is complete");
}

#[test]
fn options_that_make_no_sense_are_named() {
    let d = Sampling::default;
    let cases = [
        (Sampling { temperature: -1.0, ..d() }, "temperature"),
        (Sampling { temperature: f32::NAN, ..d() }, "temperature"),
        (Sampling { top_p: 0.0, ..d() }, "top_p"),
        (Sampling { top_p: 1.1, ..d() }, "top_p"),
        (Sampling { min_p: -0.1, ..d() }, "min_p"),
        (Sampling { repetition_penalty: 0.0, ..d() }, "repetition_penalty"),
        (Sampling { presence_penalty: f32::INFINITY, ..d() }, "presence_penalty"),
        (Sampling { frequency_penalty: f32::NAN, ..d() }, "frequency_penalty"),
        (Sampling { logit_bias: vec![(1, f32::INFINITY)], ..d() }, "logit_bias"),
        (Sampling { stop: vec![String::new()], ..d() }, "stop"),
        (Sampling { max_tokens: 0, ..d() }, "max_tokens"),
    ];
    for (sampling, option) in cases {
        let error = Sampler::new(&sampling, 10).err();
        assert!(matches!(&error, Some(Error::Option { name, .. }) if name == option), "{option}: {error:?}");
    }
    let beyond = Sampling { logit_bias: vec![(10, 1.0)], ..d() };
    assert!(matches!(Sampler::new(&beyond, 10), Err(Error::TokenId { id: 10, vocab: 10 })));
}
