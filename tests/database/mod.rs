//! The database: schema, migrations, the private cluster.

mod cluster;
