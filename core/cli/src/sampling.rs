//! Options that decide how tokens are chosen and where an answer ends.

use crate::args::positive;
use clap::Args;
use kinglet::generate::Sampling;

/// Only what is given changes a command's own defaults.
#[derive(Args, Clone, Debug, Default, PartialEq)]
#[command(next_help_heading = "Sampling")]
pub struct SamplingArgs {
    /// How adventurous: 0 always takes the most probable token (greedy), 1 follows the model's own odds
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,

    /// Choose among the K most probable tokens; 0 for all
    #[arg(long, value_name = "K")]
    top_k: Option<usize>,

    /// Choose among the fewest tokens whose probabilities reach this sum; 1 for all
    #[arg(long, value_name = "P")]
    top_p: Option<f32>,

    /// Choose among tokens at least this fraction as probable as the best; 0 for all
    #[arg(long, value_name = "P")]
    min_p: Option<f32>,

    /// Make tokens that the answer has already less likely, by this factor; 1 does nothing
    #[arg(long, value_name = "FACTOR")]
    repeat_penalty: Option<f32>,

    /// Subtract this from the logit of a token that the answer has already
    #[arg(long, value_name = "LOGIT", allow_negative_numbers = true)]
    presence_penalty: Option<f32>,

    /// Subtract this from a token's logit for each time that the answer has it
    #[arg(long, value_name = "LOGIT", allow_negative_numbers = true)]
    frequency_penalty: Option<f32>,

    /// Add BIAS to the logit of token ID (-inf forbids it); may be repeated
    #[arg(long, value_name = "ID=BIAS", value_parser = bias)]
    logit_bias: Vec<(u32, f32)>,

    /// The same seed gives the same text
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// The most tokens to generate
    #[arg(short = 'n', long, value_name = "N", value_parser = positive)]
    pub max_tokens: Option<usize>,

    /// End before this text; may be repeated
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    stop: Vec<String>,
}

impl SamplingArgs {
    /// A task's own sampling with what was given changed; nothing where nothing was given.
    pub fn over(&self, own: impl FnOnce() -> Sampling) -> Option<Sampling> {
        (*self != Self::default()).then(|| self.apply(own()))
    }

    /// Changes what was given.
    pub fn apply(&self, mut sampling: Sampling) -> Sampling {
        fn set<T: Copy>(field: &mut T, value: Option<T>) {
            *field = value.unwrap_or(*field);
        }
        set(&mut sampling.temperature, self.temperature);
        set(&mut sampling.top_k, self.top_k);
        set(&mut sampling.top_p, self.top_p);
        set(&mut sampling.min_p, self.min_p);
        set(&mut sampling.repetition_penalty, self.repeat_penalty);
        set(&mut sampling.presence_penalty, self.presence_penalty);
        set(&mut sampling.frequency_penalty, self.frequency_penalty);
        set(&mut sampling.seed, self.seed);
        set(&mut sampling.max_tokens, self.max_tokens);
        sampling.logit_bias.extend_from_slice(&self.logit_bias);
        sampling.stop.extend_from_slice(&self.stop);
        sampling
    }
}

fn bias(text: &str) -> Result<(u32, f32), String> {
    let (id, bias) = text.split_once('=').ok_or("write it as ID=BIAS, for instance 42=-1.5")?;
    let id = id.trim().parse().map_err(|_| format!("{id:?} is not a token id"))?;
    let bias = bias.trim().parse().map_err(|_| format!("{bias:?} is not a number"))?;
    Ok((id, bias))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::bias;

    #[test]
    fn biases() {
        assert_eq!(bias("42=-1.5").unwrap(), (42, -1.5));
        assert_eq!(bias("7=-inf").unwrap(), (7, f32::NEG_INFINITY));
        for text in ["42", "=1", "a=1", "1=b", "-1=2"] {
            assert!(bias(text).is_err(), "{text}");
        }
    }
}
