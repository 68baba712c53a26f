package org.famobile.core

/** One tile along one axis: reads [start, stop), keeps [keepStart, keepStop). */
data class Span(val start: Int, val stop: Int, val keepStart: Int, val keepStop: Int) {
    val size get() = stop - start
}

data class Tile(val rows: Span, val cols: Span)

/** [top, bottom) x [left, right). */
data class Rectangle(val top: Int, val bottom: Int, val left: Int, val right: Int) {
    val height get() = bottom - top
    val width get() = right - left
}

/**
 * Tiles that cover 0 until [length]. Those at the border end at the border, where the network's own
 * padding acts as on the whole frame; inside, a sample is kept only from [halo] inside the edges.
 */
fun planAxis(length: Int, tile: Int, halo: Int, stride: Int): List<Span> {
    if (length <= 0 || length % stride != 0 || tile % stride != 0 || 2 * halo % stride != 0) {
        throw UserMessage(
            "length=$length, tile=$tile, halo=$halo were given; length, tile and twice the halo " +
                "must be multiples of the stride $stride: export the bundle again",
        )
    }
    if (length <= tile) return listOf(Span(0, length, 0, length))
    val step = tile - 2 * halo
    if (step <= 0) {
        throw UserMessage("tile=$tile was given; it must be more than twice the halo of $halo")
    }
    val starts = (0 until length - tile step step) + (length - tile)
    val cuts = listOf(0) + starts.drop(1).map { it + halo } + length
    return starts.mapIndexed { index, start -> Span(start, start + tile, cuts[index], cuts[index + 1]) }
}

/** Tiles of a frame, row by row; [tile] is (rows, columns). */
fun planFrame(height: Int, width: Int, tile: Pair<Int, Int>, halo: Int, stride: Int): List<Tile> {
    val cols = planAxis(width, tile.second, halo, stride)
    return planAxis(height, tile.first, halo, stride).flatMap { row -> cols.map { Tile(row, it) } }
}
