//! Summarises a text file: `cargo run --release --example summarize -- model.gguf text.txt`.

use kinglet::{Cancel, Engine, Error, Options, Sampling};
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(model), Some(file)) = (args.next(), args.next()) else {
        return Err("give a model (GGUF) and a text file".into());
    };
    let text = std::fs::read_to_string(&file).map_err(|source| Error::Io { path: file.into(), source })?;

    let engine = Engine::open(model, &Options::default())?;
    let mut session = engine.session()?;
    let prompt = engine.prompt(&format!("Summarise this text in two sentences.\n\n{text}"))?;
    let mut answer = session.generate(&prompt, &Sampling::default().max_tokens(120), &Cancel::default())?;
    for piece in &mut answer {
        print!("{}", piece?.text);
        std::io::stdout().flush()?;
    }
    println!();
    eprintln!("{:?}", answer.stats());
    Ok(())
}
