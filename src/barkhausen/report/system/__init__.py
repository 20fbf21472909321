"""Page about a published system whose results are not those of single runs."""
