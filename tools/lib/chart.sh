# shellcheck shell=bash
# The chart of a summary: NAME.svg and NAME.png.

# chart_missing: the tool that is not there, if any
chart_missing() {
	mode_lacks gnuplot rsvg-convert
}

# chart_draw SUMMARY NAME
chart_draw() {
	local lib

	lib=$(dirname "${BASH_SOURCE[0]}")
	jq -r -L "$lib" 'include "chart"; . as $doc | chart($doc)' "$1" >"$TOPO_DIR/chart.gp"
	gnuplot -e "out = '$2.svg'" "$TOPO_DIR/chart.gp"
	rsvg-convert --output "$2.png" "$2.svg"
}
