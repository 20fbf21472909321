/* The theme leaves this dialog without a name. */
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
