//! `kinglet devices --qualify`: what a GPU is good for with a model.

use crate::app::{App, Outcome, Ran};
use crate::{output, progress};
use kinglet::guard::Fitness;
use kinglet::{Engine, Options, Qualification};
use serde::Serialize;
use std::path::Path;

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    asked: Qualification,
    model: &'a str,
}

/// Asks the GPU that `options` name, and shows what it came to.
pub fn run(app: &App, model: &Path, options: &Options) -> Ran {
    let bar = progress::counting(app, "qualifying");
    let cancel = app.interrupt.begin();
    let asked = Engine::qualify(
        model,
        options,
        &mut |done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        },
        &cancel,
    );
    bar.finish_and_clear();
    let asked = asked?;
    if app.json {
        output::json(&Answer { model: &model.display().to_string(), asked })?;
        return Ok(Outcome::Done);
    }
    let verdict = match asked.verdict {
        Fitness::Good => "good: every kernel says what the CPU says",
        Fitness::Replaced => "good with other kernels in place of those that are wrong",
        Fitness::Cpu => "not to be used with this model, which runs on the CPU",
    };
    output::line(&format!("{} ({})", asked.adapter, asked.driver))?;
    output::line(&format!("  model     {}", model.display()))?;
    output::line(&format!("  verdict   {verdict}"))?;
    for step in &asked.ladder {
        output::line(&format!("  replaced  {} by {}: {}: {}", step.from, step.to, step.node, step.why))?;
    }
    let how = if asked.cached {
        "known from an earlier time; --again asks anew".into()
    } else {
        format!("{} runs in {:.1} s, loading among it", asked.runs, asked.time.as_secs_f64())
    };
    output::line(&format!("  asked     {how}"))?;
    Ok(Outcome::Done)
}
