//! An export while it is sent: made as fast as the client reads and no faster, and cut off for the client to see when
//! anything goes wrong. A body that simply ended early would look whole; one that fails leaves its last chunk unsent.

use std::fmt;
use std::time::Duration;

use actix_web::body::BodyStream;
use actix_web::web::Bytes;
use futures_util::stream;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, timeout};

use super::walk::Walk;
use crate::database::Conn;
use crate::database::records::Record;
use crate::http::formats::{Lines, TextWriter};
use crate::http::{Answer, Problem, Reply};

/// Parts that wait for the client.
const WAITING: usize = 2;

/// How slow a client may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long the client may take none of it.
    pub stall: Duration,
    /// Bytes in a second that it has to take on average, that time aside.
    pub slowest: u32,
}

/// A format that is written from the beginning to the end, and may have to ask for more on its way.
pub trait Writer: 'static {
    /// What stands before the records.
    fn begin(&mut self, _out: &mut Vec<u8>) {}
    /// Some of the records.
    async fn write(&mut self, lines: &Lines, conn: &mut Conn, out: &mut Vec<u8>) -> Result<(), Problem>;
    /// What stands after them.
    fn end(&mut self, _out: &mut Vec<u8>) {}
}

impl<W: TextWriter> Writer for W {
    fn begin(&mut self, out: &mut Vec<u8>) {
        TextWriter::begin(self, out);
    }

    async fn write(&mut self, lines: &Lines, _: &mut Conn, out: &mut Vec<u8>) -> Result<(), Problem> {
        TextWriter::write(self, lines, out)
    }

    fn end(&mut self, out: &mut Vec<u8>) {
        TextWriter::end(self, out);
    }
}

enum Part {
    Bytes(Bytes),
    End,
}

/// The export was cut off.
#[derive(Debug)]
struct CutOff;

impl fmt::Display for CutOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the export was cut off")
    }
}

impl std::error::Error for CutOff {}

/// Why an export ended early.
enum Stopped {
    /// Something went wrong.
    Failed(Problem),
    /// The client took nothing for too long, or is too slow.
    Stalled,
    /// The client is gone.
    Left,
}

impl From<Problem> for Stopped {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

/// Answers a list while it is read.
///
/// # Errors
/// None at present; what can be known before the first byte was asked before.
pub async fn stream<R: Record>(walk: Walk<R>, writer: impl Writer, limits: Limits) -> Answer {
    let (sender, receiver) = mpsc::channel(WAITING);
    actix_web::rt::spawn(produce(walk, writer, sender, limits));
    let parts = stream::unfold(Some(receiver), async |receiver: Option<Receiver<Part>>| {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Part::Bytes(bytes)) => Some((Ok(bytes), Some(receiver))),
            Some(Part::End) => None,
            // Whoever made it stopped without saying that it was the end.
            None => Some((Err(CutOff), None)),
        }
    });
    Ok(Reply::streaming(BodyStream::new(Box::pin(parts))))
}

async fn produce<R: Record>(mut walk: Walk<R>, writer: impl Writer, sender: Sender<Part>, limits: Limits) {
    let written = write_all(&mut walk, writer, &sender, limits).await;
    if let Err(Stopped::Failed(problem)) = &written {
        // Its connection is in an unknown state and is dropped with the walk.
        tracing::warn!(%problem, collection = R::TYPE, "an export was cut off");
        return;
    }
    if let Err(Stopped::Stalled) = &written {
        tracing::warn!(collection = R::TYPE, "an export was cut off: the client did not take it in time");
    }
    let finished = walk.finish().await;
    if let (Ok(()), Ok(())) = (&written, finished) {
        drop(timeout(limits.stall, sender.send(Part::End)).await);
    }
}

async fn write_all<R: Record>(
    walk: &mut Walk<R>,
    mut writer: impl Writer,
    sender: &Sender<Part>,
    limits: Limits,
) -> Result<(), Stopped> {
    let (mut out, mut credit) = (vec![], limits.stall);
    writer.begin(&mut out);
    loop {
        let lines = walk.next().await?;
        if lines.count == 0 {
            break;
        }
        writer.write(&lines, walk.conn(), &mut out).await?;
        send(sender, std::mem::take(&mut out), limits, &mut credit).await?;
    }
    writer.end(&mut out);
    if out.is_empty() { Ok(()) } else { send(sender, out, limits, &mut credit).await }
}

/// Hands over a part. The client has `credit` to take it; waiting uses it up, and each byte that was taken adds to it.
async fn send(sender: &Sender<Part>, out: Vec<u8>, limits: Limits, credit: &mut Duration) -> Result<(), Stopped> {
    let earned = Duration::from_secs(out.len() as u64) / limits.slowest;
    let began = Instant::now();
    match timeout((*credit).min(limits.stall), sender.send(Part::Bytes(out.into()))).await {
        Ok(Ok(())) => {
            *credit = credit.saturating_sub(began.elapsed()) + earned;
            Ok(())
        }
        Ok(Err(_)) => Err(Stopped::Left),
        Err(_) => Err(Stopped::Stalled),
    }
}
