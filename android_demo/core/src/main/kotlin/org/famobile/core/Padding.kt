package org.famobile.core

/**
 * How a capture is mirrored for the networks: in front where that brings red to the origin, behind
 * until both sides are multiples of [multiple] and at least [minimum] (rows, columns).
 */
class Padding(
    val captureHeight: Int,
    val captureWidth: Int,
    cfa: Cfa,
    multiple: Int,
    minimum: Pair<Int, Int>,
) {
    /** The capture's row that stands at each row of the padded mosaic; [cols] likewise. */
    val rows = mirrored(captureHeight, cfa.redRow, multiple, minimum.first)
    val cols = mirrored(captureWidth, cfa.redCol, multiple, minimum.second)
    val height = rows.size
    val width = cols.size

    /** Where the capture itself starts in the padded mosaic. */
    val originRow = cfa.redRow
    val originCol = cfa.redCol
}

/**
 * Which sample of 0 until [side] stands at each place of an axis that is mirrored by [before] in
 * front and then until it is a multiple of [multiple] and at least [minimum]. The edge sample is not
 * repeated, so that every sample keeps its colour.
 */
fun mirrored(side: Int, before: Int, multiple: Int, minimum: Int): IntArray {
    require(multiple >= 2 && multiple % 2 == 0) { "multiple=$multiple: must be even, from 2" }
    var total = maxOf(before + side, minimum)
    total += (multiple - total % multiple) % multiple
    val period = 2 * (side - 1) // even, so going back and forth keeps the colours too
    return IntArray(total) {
        val place = (it - before).mod(period)
        if (place < side) place else period - place
    }
}

/** The planes R, Gr, Gb, B of a padded mosaic, each [height / 2][width / 2]. */
fun pack(mosaic: Mosaic, padding: Padding): List<List<List<Int>>> = List(4) { plane ->
    List(padding.height / 2) { row ->
        List(padding.width / 2) { col ->
            mosaic[padding.rows[2 * row + plane / 2], padding.cols[2 * col + plane % 2]]
        }
    }
}
