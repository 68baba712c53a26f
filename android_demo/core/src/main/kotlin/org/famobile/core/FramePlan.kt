package org.famobile.core

import java.nio.FloatBuffer

/** What the tiles of a padded capture read, and what they decide of the capture. */
class FramePlan(val padding: Padding, tile: Pair<Int, Int>, halo: Int, stride: Int) {
    val tiles = planFrame(padding.height, padding.width, tile, halo, stride)

    /** What [tile] decides in the capture itself, the padding left out. */
    fun written(tile: Tile): Rectangle {
        val p = padding
        return Rectangle(
            cut(tile.rows.keepStart - p.originRow, p.captureHeight),
            cut(tile.rows.keepStop - p.originRow, p.captureHeight),
            cut(tile.cols.keepStart - p.originCol, p.captureWidth),
            cut(tile.cols.keepStop - p.originCol, p.captureWidth),
        )
    }

    /** Put the samples that [tile] reads into [into], row by row, each through [convert]. */
    fun read(mosaic: Mosaic, tile: Tile, into: FloatBuffer, convert: SampleConversion?) {
        val line = FloatArray(tile.cols.size)
        into.clear()
        for (row in tile.rows.start until tile.rows.stop) {
            val source = padding.rows[row]
            for (index in line.indices) {
                val col = padding.cols[tile.cols.start + index]
                val dn = mosaic[source, col].toFloat()
                line[index] = convert?.convert(dn, mosaic.cfa.plane(source, col)) ?: dn
            }
            into.put(line)
        }
        into.flip()
    }

    companion object {
        private fun cut(at: Int, side: Int) = at.coerceIn(0, side)

        /** The plan of a bundle for a capture of this size. */
        fun of(manifest: Manifest, height: Int, width: Int, cfa: Cfa, tile: Pair<Int, Int> = manifest.tile): FramePlan {
            val padding = Padding(height, width, cfa, manifest.stride, manifest.minimum)
            return FramePlan(padding, tile, manifest.halo, manifest.stride)
        }
    }
}

/** A sample's DN and its colour (R, Gr, Gb, B) to the same signal in other levels. */
fun interface SampleConversion {
    fun convert(dn: Float, plane: Int): Float
}
