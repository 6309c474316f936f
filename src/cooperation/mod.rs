//! What cities do together: partnerships, the initiatives they pursue, the activities in which they meet, the agreements
//! they make.

pub mod activities;
pub mod agreements;
pub mod initiatives;
pub mod partnerships;
pub mod stages;

diesel::define_sql_function! {
    /// The last day that a date can mean, if there is one.
    fn last_day(partial: diesel::sql_types::Nullable<diesel::sql_types::Text>) -> diesel::sql_types::Nullable<diesel::sql_types::Date>;
}
