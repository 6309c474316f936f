//! How far long work is: a bar on a terminal, plain lines in a log.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

/// The work that is under way.
pub struct Meter {
    bar: Option<ProgressBar>,
    what: &'static str,
    done: usize,
    total: usize,
    told: usize,
}

impl Meter {
    /// Nothing begun yet.
    pub fn new() -> Self {
        Self { bar: None, what: "", done: 0, total: 0, told: 0 }
    }

    /// Begins with this many of something; 0: nobody knows how many.
    pub fn begin(&mut self, what: &'static str, total: usize) {
        self.end();
        (self.what, self.total, self.done, self.told) = (what, total, 0, 0);
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(total as u64).with_message(what);
            let style = ProgressStyle::with_template(match total {
                0 => "{msg:26} {spinner} {human_pos:>9} {elapsed:>4}",
                _ => "{msg:26} {wide_bar} {human_pos:>9} of {human_len} {eta:>4}",
            });
            self.bar = Some(style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)));
        }
    }

    /// So many more are done. In a log a line is written for each tenth, or each time there are twice as many.
    pub fn advance(&mut self, count: usize) {
        self.done += count;
        match &self.bar {
            Some(bar) => bar.inc(count as u64),
            None => {
                let step = match self.total {
                    0 => (self.done / 10_000 + 1).ilog2() as usize,
                    total => 10 * self.done / total,
                };
                if step > self.told {
                    self.told = step;
                    tracing::info!(done = self.done, total = self.total, "{}", self.what);
                }
            }
        }
    }

    /// Ends what was begun; the bar stays as it is.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.abandon();
        }
    }
}
