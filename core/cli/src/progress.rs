//! Progress on standard error, only where that is a terminal.

use crate::app::App;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Bytes of weights prepared.
pub fn loading(app: &App) -> ProgressBar {
    bar(app, "loading {wide_bar} {bytes}/{total_bytes}")
}

/// Things done, of all.
pub fn counting(app: &App, what: &str) -> ProgressBar {
    bar(app, &format!("{what} {{wide_bar}} {{pos}}/{{len}}"))
}

fn bar(app: &App, template: &str) -> ProgressBar {
    // indicatif draws nothing where standard error is not a terminal.
    let target = if app.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
