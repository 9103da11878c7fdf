"""The one kit that every picture of every page is drawn with: SVG that fetches nothing, in the page's own colours."""
