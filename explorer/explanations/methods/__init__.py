"""One method a file, each with `maps(question, **options) -> Answer`; the table says what there is."""
