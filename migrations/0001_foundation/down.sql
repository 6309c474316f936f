DROP TABLE setting, change, revision, external_id, record;
DROP FUNCTION refuse_change();
DROP DOMAIN visibility, partial_date;
DROP FUNCTION strictest(text, text);
DROP FUNCTION last_day(text);
DROP FUNCTION first_day(text);
