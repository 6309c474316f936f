//! The database: schema, migrations, the private cluster.

mod as_of;
mod cluster;
mod data;
mod encrypted;
mod history;
mod migrations;
mod schema;
mod visibility;
