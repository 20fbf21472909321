"""Options and tables that several commands share."""
