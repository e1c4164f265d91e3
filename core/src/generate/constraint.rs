//! What a text may look like, token by token: a grammar, a list of labels.

use crate::Result;

/// Keeps a generation inside a form. It is asked before every token and told what was chosen.
pub trait Constraint {
    /// Sets the logits of all ids that may not come next to `-inf`. `logits`: one a token of the vocabulary.
    ///
    /// Where ending here is allowed, the ids that end a text stay as they are.
    fn mask(&mut self, logits: &mut [f32]) -> Result<()>;

    /// Takes note of the id that was chosen.
    fn accept(&mut self, id: u32) -> Result<()>;

    /// Forgets all ids that were chosen: the text begins anew. Happens where a GPU turns out to have been wrong.
    fn restart(&mut self) -> Result<()>;

    /// Whether the text is complete and nothing may follow. The generation then ends with
    /// [`StopReason::Constraint`](super::StopReason::Constraint) without another run of the model.
    fn is_done(&self) -> bool;
}
