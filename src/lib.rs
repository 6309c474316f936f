//! Pilot Exchange: the registry through which cities lend each other their smart-city pilots.
//!
//! The house in reading order: [`api`] lists the routes; the rooms named after the domain ([`directory`],
//! [`catalogue`], [`cooperation`], [`hosting`], [`outcomes`]) hold what each record is and its rules; [`sync`] is what
//! partner systems load and follow; [`http`], [`access`] and [`database`] hold each mechanism once; [`values`] and
//! [`ids`] are what members are made of; [`cli`] starts it all.

pub mod access;
pub mod api;
pub mod app;
pub mod catalogue;
pub mod charts;
pub mod cli;
pub mod config;
pub mod cooperation;
pub mod database;
pub mod demo;
pub mod directory;
pub mod hosting;
pub mod http;
pub mod ids;
pub mod outcomes;
pub mod pages;
pub mod reports;
pub mod service;
pub mod sync;
pub mod values;
