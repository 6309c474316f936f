//! A workbook with one sheet: typed cells, a header that stays in sight, and filters. Instants and whole days are dates;
//! decimals are numbers where a spreadsheet's number has all their digits, and text where it has not.

use std::fs::File;

use chrono::{DateTime, NaiveDate, Utc};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::columns::{Cells, Column, Kind, text_of, texts_of};
use super::{FileWriter, Lines, unwritten};
use crate::http::{Code, Problem};

/// The rows of a sheet, without the header.
const ROWS: u32 = 1_048_575;

/// The characters of a cell.
const CHARACTERS: usize = 32_767;

/// A workbook on its way.
pub struct Sheet {
    workbook: Workbook,
    columns: Vec<Column>,
    row: u32,
    most: u32,
    instant: Format,
    day: Format,
}

impl Sheet {
    /// An empty one that says when it was made.
    ///
    /// # Errors
    /// 500 if there is no room for its temporary files.
    pub fn new(name: &str, columns: Vec<Column>, at: DateTime<Utc>) -> Result<Self, Problem> {
        let mut workbook = Workbook::new();
        let made = ExcelDateTime::from_timestamp(at.timestamp()).map_err(unwritten)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
        let sheet = workbook.add_worksheet_with_constant_memory().map_err(unwritten)?;
        let bold = Format::new().set_bold();
        let last = u16::try_from(columns.len().saturating_sub(1)).map_err(unwritten)?;
        let header = |sheet: &mut Worksheet| -> Result<(), XlsxError> {
            sheet.set_name(name)?.set_freeze_panes(1, 0)?;
            for (index, column) in (0..).zip(&columns) {
                sheet.write_string_with_format(0, index, &column.name, &bold)?;
                sheet.set_column_width(index, 18)?;
            }
            sheet.autofilter(0, 0, ROWS, last).map(drop)
        };
        header(sheet).map_err(unwritten)?;
        let of = |format: &str| Format::new().set_num_format(format);
        let (instant, day) = (of("yyyy-mm-dd hh:mm:ss"), of("yyyy-mm-dd"));
        Ok(Self { workbook, columns, row: 0, most: ROWS, instant, day })
    }

    fn cells(&mut self, line: &str) -> Result<(), Problem> {
        let sheet = self.workbook.worksheet_from_index(0).map_err(unwritten)?;
        for (index, (column, raw)) in (0..).zip(Cells::of(&self.columns, line)?.iter()) {
            if raw == "null" {
                continue;
            }
            let text = match column.kind {
                Kind::List => texts_of(raw).join(";").into(),
                _ => text_of(raw),
            };
            let written = match (column.kind, number_of(column.kind, &text)) {
                (Kind::Boolean, _) => sheet.write_boolean(self.row, index, raw == "true"),
                (Kind::Instant, Some(serial)) => sheet.write_number_with_format(self.row, index, serial, &self.instant),
                (Kind::Date, Some(serial)) => sheet.write_number_with_format(self.row, index, serial, &self.day),
                (_, Some(number)) => sheet.write_number(self.row, index, number),
                (_, None) if text.encode_utf16().count() > CHARACTERS => return Err(too_long(&column.name)),
                (_, None) => sheet.write_string(self.row, index, text),
            };
            written.map_err(unwritten)?;
        }
        Ok(())
    }
}

impl FileWriter for Sheet {
    fn write(&mut self, lines: &Lines) -> Result<(), Problem> {
        for line in lines.iter() {
            if self.row == self.most {
                return Err(Problem::new(
                    Code::ExportTooLarge,
                    format!(
                        "a sheet has {} rows and this export has more; narrow it by filters, or take csv",
                        self.most
                    ),
                ));
            }
            self.row += 1;
            self.cells(line)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<File, Problem> {
        let file = tempfile::tempfile().map_err(unwritten)?;
        let last = u16::try_from(self.columns.len().saturating_sub(1)).map_err(unwritten)?;
        let row = self.row;
        self.workbook
            .worksheet_from_index(0)
            .and_then(|sheet| sheet.autofilter(0, 0, row, last).map(drop))
            .map_err(unwritten)?;
        self.workbook.save_to_writer(&file).map_err(unwritten)?;
        Ok(file)
    }
}

fn too_long(member: &str) -> Problem {
    let detail = format!("a cell has {CHARACTERS} characters and a record has more in {member}; take csv or ndjson");
    Problem::new(Code::ExportTooLarge, detail)
}

/// What a spreadsheet keeps as a number, if it can keep it without loss.
fn number_of(kind: Kind, text: &str) -> Option<f64> {
    match kind {
        Kind::Integer | Kind::Number => text.parse().ok(),
        Kind::Decimal => text.parse::<f64>().ok().filter(|number| number.to_string() == text),
        Kind::Instant => {
            text.parse::<DateTime<Utc>>().ok().map(|instant| serial_of(instant.date_naive()) + of_day(instant))
        }
        Kind::Date => text.parse::<NaiveDate>().ok().map(serial_of).filter(|serial| *serial > 60.0),
        Kind::Text | Kind::Id | Kind::Code | Kind::Boolean | Kind::List | Kind::Json => None,
    }
}

/// Days since the last day of 1899; right from March 1900 on, since spreadsheets believe in 29 February 1900.
fn serial_of(day: NaiveDate) -> f64 {
    let first = NaiveDate::from_ymd_opt(1899, 12, 30).expect("a day");
    f64::from(i32::try_from((day - first).num_days()).unwrap_or(0))
}

fn of_day(instant: DateTime<Utc>) -> f64 {
    let since = instant.time() - chrono::NaiveTime::MIN;
    since
        .num_microseconds()
        .map_or(0.0, |microseconds| f64::from(u32::try_from(microseconds / 1000).unwrap_or(0)) / 86_400_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_a_number_only_where_nothing_is_lost() {
        for (text, number) in
            [("98", Some(98.0)), ("-0.5", Some(-0.5)), ("0.1", Some(0.1)), ("123456789012345678.9", None)]
        {
            assert_eq!(number_of(Kind::Decimal, text), number, "{text}");
        }
        assert_eq!(number_of(Kind::Date, "2017-03-15"), Some(42809.0));
        assert_eq!(number_of(Kind::Date, "2017-03"), None);
        assert_eq!(number_of(Kind::Date, "1850-01-01"), None);
    }

    #[test]
    fn more_rows_than_a_sheet_has_are_refused() {
        let columns = vec![Column { name: "id".into(), kind: Kind::Id }];
        let mut sheet = Sheet::new("pilots", columns, Utc::now()).unwrap();
        sheet.most = 1;
        let mut lines = Lines::default();
        lines.add(&serde_json::json!({"id": "a"}));
        sheet.write(&lines).unwrap();
        assert_eq!(sheet.write(&lines).unwrap_err().code(), Code::ExportTooLarge);
    }
}
