-- By what is asked for; what is not asked for is not read.
SELECT {by} AS by, o.measure, o.direction, o.baseline, o.baseline_on, o.targets, o.targets_due, o.actual, o.tolerance
FROM outcomes o
