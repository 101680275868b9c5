"""Browser components: plain HTML, CSS and JavaScript, registered once."""
