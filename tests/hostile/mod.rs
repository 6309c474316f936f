//! What nobody sends in good faith: a table for each kind of it, an exact answer for each input. `table` sends and checks.

mod authorisation;
mod bodies;
mod cost;
mod dates;
mod exports;
mod http;
mod logs;
mod numbers;
mod table;
mod text;
mod tokens;
mod webhooks;

#[test]
fn the_tables_have_more_than_a_few_inputs_each() {
    let tables = [
        ("authorisation", authorisation::inputs().len()),
        ("bodies", bodies::inputs().len()),
        ("cost", cost::inputs().len()),
        ("dates", dates::inputs().len()),
        ("exports", exports::inputs().len() + exports::CELLS.len()),
        ("http", http::inputs().len()),
        ("logs", logs::LINES.len()),
        ("numbers", numbers::inputs().len()),
        ("text", text::inputs().len()),
        ("tokens", tokens::inputs().len() + tokens::BEARERS.iter().map(|table| table.len()).sum::<usize>()),
        ("webhooks", webhooks::inputs().len()),
    ];
    let sum: usize = tables.iter().map(|(_, inputs)| inputs).sum();
    println!("{tables:?} {sum}");
    assert!(sum >= 150 && tables.iter().all(|(_, inputs)| *inputs >= 10), "{tables:?}");
}
