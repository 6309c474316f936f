//! Formats that are a file as a whole: written to a temporary one beside the requests, and sent when it is complete. The
//! file has no name, so nothing is left of it whatever happens.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use actix_web::body::SizedStream;
use actix_web::web::Bytes;
use futures_util::stream;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use super::walk::Walk;
use crate::database::records::Record;
use crate::http::formats::{FileWriter, Lines, unwritten};
use crate::http::{Answer, Reply};

/// Bytes that are read and sent at a time.
const PART: usize = 64 * 1024;

/// Writes a list to a file, then answers the file.
///
/// # Errors
/// Those of the list and of the format.
pub async fn send<R: Record>(mut walk: Walk<R>, mut writer: impl FileWriter) -> Answer {
    let (sender, mut receiver) = mpsc::channel::<Lines>(2);
    let writing = tokio::task::spawn_blocking(move || {
        while let Some(lines) = receiver.blocking_recv() {
            if lines.count == 0 {
                return writer.finish().map(Some);
            }
            writer.write(&lines)?;
        }
        // Whoever reads stopped before the end.
        Ok(None)
    });
    loop {
        let lines = walk.next().await?;
        let is_end = lines.count == 0;
        if sender.send(lines).await.is_err() || is_end {
            break;
        }
    }
    walk.finish().await?;
    let file = writing.await.map_err(unwritten)??.ok_or_else(|| unwritten("it was not written to its end"))?;
    reply(file).await
}

async fn reply(mut file: File) -> Answer {
    file.seek(SeekFrom::Start(0)).map_err(unwritten)?;
    let length = file.metadata().map_err(unwritten)?.len();
    let parts = stream::unfold(tokio::fs::File::from_std(file), async |mut file| {
        let mut part = vec![0; PART];
        match file.read(&mut part).await {
            Ok(0) => None,
            Ok(read) => {
                part.truncate(read);
                Some((Ok(Bytes::from(part)), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    });
    Ok(Reply::streaming(SizedStream::new(length, Box::pin(parts))))
}
