//! The beginnings that prompts share, each computed once.

use crate::{Cancel, Engine, Result, Session};

/// Brings a session to a prompt while feeding as little as it can.
///
/// A session goes back to what two prompts share by itself, but for sliding windows, which soon drop what going back
/// would need, and between prompts that begin differently. For those a copy is kept from the moment when only the
/// beginning was fed.
pub(super) struct Prefix {
    beginnings: Vec<Beginning>,
    /// Whether copies are worth their memory.
    keep: bool,
}

struct Beginning {
    ids: Vec<u32>,
    saved: Option<Session>,
}

impl Prefix {
    /// For prompts that begin with one of these. With `many`, several such prompts will come.
    pub fn new(engine: &Engine, beginnings: impl IntoIterator<Item = Vec<u32>>, many: bool) -> Self {
        let beginnings: Vec<_> = beginnings.into_iter().map(|ids| Beginning { ids, saved: None }).collect();
        let keep = many && (engine.config().window.is_some() || beginnings.len() > 1);
        Self { beginnings, keep }
    }

    /// Leaves the session holding a beginning of `ids`, all but at least one, and returns two numbers: how many it
    /// holds, and how many of them had not to be fed.
    pub fn enter(&mut self, session: &mut Session, ids: &[u32], cancel: &Cancel) -> Result<(usize, usize)> {
        let mut held = session.rewind_to_common_prefix(ids)?;
        let is_of = |beginning: &&mut Beginning| beginning.ids.len() < ids.len() && ids.starts_with(&beginning.ids);
        let Some(beginning) = self.beginnings.iter_mut().find(is_of).filter(|_| self.keep) else {
            return Ok((held, held));
        };
        let shared = beginning.ids.len();
        if let Some(saved) = beginning.saved.as_ref().filter(|_| held < shared) {
            *session = saved.fork()?;
            held = shared;
        }
        let cached = held;
        if beginning.saved.is_none() && held <= shared {
            session.feed(&ids[held..shared], cancel)?;
            held = shared;
            beginning.saved = Some(session.fork()?);
        }
        Ok((held, cached))
    }
}

/// Runs `f` on a session that afterwards stands where it stood, having gone at most `ahead` tokens further.
pub(super) fn branch<T>(session: &mut Session, ahead: usize, f: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
    let at = session.ids().len();
    // Beyond its window a session cannot be relied on to go back.
    if session.engine().config().window.is_some_and(|window| at + ahead > window) {
        return f(&mut session.fork()?);
    }
    let result = f(session)?;
    session.truncate(at)?;
    Ok(result)
}
