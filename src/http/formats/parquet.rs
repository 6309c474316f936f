//! Apache Parquet. Ids, codes and text are UTF-8; instants are timestamps in microseconds UTC; lists are lists of text.
//! Dates are text, since one may be known to the year only; decimals are text, since a column of decimals has one scale
//! and theirs differ; other nested values are text with JSON in it.

use std::fs::File;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use chrono::{DateTime, Utc};

use super::columns::{Cells, Column, Kind, text_of, texts_of};
use super::{FileWriter, Lines, unwritten};
use crate::http::Problem;

/// Bytes of a group of rows in memory before it is written.
const GROUP: usize = 8 * 1024 * 1024;

/// A table on its way.
pub struct Table {
    columns: Vec<Column>,
    schema: Arc<Schema>,
    writer: ArrowWriter<File>,
}

impl Table {
    /// An empty one.
    ///
    /// # Errors
    /// 500 if there is no room for a temporary file.
    pub fn new(columns: Vec<Column>) -> Result<Self, Problem> {
        let fields: Vec<Field> =
            columns.iter().map(|column| Field::new(&column.name, type_of(column.kind), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let file = tempfile::tempfile().map_err(unwritten)?;
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties)).map_err(unwritten)?;
        Ok(Self { columns, schema, writer })
    }
}

impl FileWriter for Table {
    fn write(&mut self, lines: &Lines) -> Result<(), Problem> {
        let mut builders: Vec<Builder> = self.columns.iter().map(|column| Builder::of(column.kind)).collect();
        for line in lines.iter() {
            let cells = Cells::of(&self.columns, line)?;
            for (builder, (_, raw)) in builders.iter_mut().zip(cells.iter()) {
                builder.append(Some(raw).filter(|raw| *raw != "null"));
            }
        }
        let arrays = builders.into_iter().map(Builder::finish).collect();
        let batch = RecordBatch::try_new(self.schema.clone(), arrays).map_err(unwritten)?;
        self.writer.write(&batch).map_err(unwritten)?;
        if self.writer.in_progress_size() > GROUP {
            self.writer.flush().map_err(unwritten)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<File, Problem> {
        self.writer.into_inner().map_err(unwritten)
    }
}

fn type_of(kind: Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Id | Kind::Code | Kind::Date | Kind::Decimal | Kind::Json => DataType::Utf8,
        Kind::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Kind::Integer => DataType::Int64,
        Kind::Number => DataType::Float64,
        Kind::Boolean => DataType::Boolean,
        Kind::List => DataType::new_list(DataType::Utf8, true),
    }
}

/// A column on its way.
enum Builder {
    Text(StringBuilder),
    Json(StringBuilder),
    Instant(TimestampMicrosecondBuilder),
    Integer(Int64Builder),
    Number(Float64Builder),
    Boolean(BooleanBuilder),
    List(ListBuilder<StringBuilder>),
}

impl Builder {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text | Kind::Id | Kind::Code | Kind::Date | Kind::Decimal => Self::Text(StringBuilder::new()),
            Kind::Json => Self::Json(StringBuilder::new()),
            Kind::Instant => Self::Instant(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Kind::Integer => Self::Integer(Int64Builder::new()),
            Kind::Number => Self::Number(Float64Builder::new()),
            Kind::Boolean => Self::Boolean(BooleanBuilder::new()),
            Kind::List => Self::List(ListBuilder::new(StringBuilder::new())),
        }
    }

    fn append(&mut self, raw: Option<&str>) {
        match self {
            Self::Text(builder) => builder.append_option(raw.map(text_of)),
            Self::Json(builder) => builder.append_option(raw),
            Self::Instant(builder) => {
                let instant = raw.and_then(|raw| text_of(raw).parse::<DateTime<Utc>>().ok());
                builder.append_option(instant.map(|instant| instant.timestamp_micros()));
            }
            Self::Integer(builder) => builder.append_option(raw.and_then(|raw| raw.parse().ok())),
            Self::Number(builder) => builder.append_option(raw.and_then(|raw| raw.parse().ok())),
            Self::Boolean(builder) => builder.append_option(raw.map(|raw| raw == "true")),
            Self::List(builder) => {
                if let Some(raw) = raw {
                    texts_of(raw).iter().for_each(|text| builder.values().append_value(text));
                }
                builder.append(raw.is_some());
            }
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) | Self::Json(mut builder) => Arc::new(builder.finish()),
            Self::Instant(mut builder) => Arc::new(builder.finish()),
            Self::Integer(mut builder) => Arc::new(builder.finish()),
            Self::Number(mut builder) => Arc::new(builder.finish()),
            Self::Boolean(mut builder) => Arc::new(builder.finish()),
            Self::List(mut builder) => Arc::new(builder.finish()),
        }
    }
}
