//! The beginning that many prompts share, computed once.

use crate::{Cancel, Engine, Result, Session};

/// Brings a session to a prompt while feeding as little as it can.
///
/// A session goes back to what two prompts share by itself, but for sliding windows, which soon drop what going back
/// would need. For those a copy is kept from the moment when only the shared beginning was fed.
pub(super) struct Prefix {
    /// Ids that all prompts begin with.
    len: usize,
    windowed: bool,
    saved: Option<Session>,
}

impl Prefix {
    /// For prompts that share their first `len` ids. With `many`, several such prompts will come.
    pub fn new(engine: &Engine, len: usize, many: bool) -> Self {
        Self { len, windowed: many && engine.config().window.is_some(), saved: None }
    }

    /// Leaves the session holding a beginning of `ids`, all but at least one, and returns two numbers: how many it
    /// holds, and how many of them had not to be fed.
    pub fn enter(&mut self, session: &mut Session, ids: &[u32], cancel: &Cancel) -> Result<(usize, usize)> {
        let mut held = session.rewind_to_common_prefix(ids)?;
        if let Some(saved) = &self.saved
            && held < saved.ids().len()
            && saved.ids().len() < ids.len()
            && ids.starts_with(saved.ids())
        {
            *session = saved.fork()?;
            held = session.ids().len();
        }
        let cached = held;
        if self.windowed && self.saved.is_none() && held <= self.len && self.len < ids.len() {
            session.feed(&ids[held..self.len], cancel)?;
            held = self.len;
            self.saved = Some(session.fork()?);
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
