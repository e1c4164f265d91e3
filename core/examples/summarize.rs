//! Summarises a text file: `cargo run --release --example summarize -- model.gguf text.txt`.

use kinglet::text::{Event, Style, Summarize, summarize};
use kinglet::{Cancel, Engine, Error, Options};
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(model), Some(file)) = (args.next(), args.next()) else {
        return Err("give a model (GGUF) and a text file".into());
    };
    let text = std::fs::read_to_string(&file).map_err(|source| Error::Io { path: file.into(), source })?;

    let engine = Engine::open(model, &Options::default())?;
    let mut session = engine.session()?;
    let bullets = Summarize { style: Style::Bullets, ..Summarize::default() };
    let mut stream = summarize(&mut session, &text, &bullets, &Cancel::default())?;
    for event in &mut stream {
        if let Event::Text(text) = event? {
            print!("{text}");
            std::io::stdout().flush()?;
        }
    }
    println!();
    eprintln!("{:?}", stream.finish()?.stats);
    Ok(())
}
