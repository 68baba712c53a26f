package org.famobile.core

import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import java.util.concurrent.CancellationException

/** A loaded artifact, whichever runtime runs it. Not for several threads at once. */
interface Model : AutoCloseable {
    /**
     * Denoise one tile.
     *
     * @param raw direct, [height] x [width] DN, red at the origin.
     * @param scalars the gain, or a and b.
     * @return [height] x [width] DN, good until the next call.
     * @throws UserMessage when the runtime refuses.
     */
    fun run(raw: FloatBuffer, height: Int, width: Int, scalars: FloatArray): FloatBuffer
}

/** Told after every tile; says whether to go on. */
fun interface Progress {
    fun goOn(done: Int, total: Int): Boolean
}

/** Receives each sample of the result: its place in the capture and its float DN. */
fun interface Sink {
    fun row(row: Int, left: Int, samples: FloatArray, count: Int)
}

/**
 * Captures of any size and Bayer pattern through a bundle, tile by tile: besides the capture and the
 * result only one tile is in memory.
 *
 * @param tile (rows, columns) in place of the manifest's, for models of no fixed shape.
 */
class Denoiser(
    private val manifest: Manifest,
    private val model: Model,
    private val tile: Pair<Int, Int> = manifest.tile,
) {
    private var buffer: FloatBuffer = directFloats(0)

    /**
     * @param gain 1 = base gain; for bundles that select by gain.
     * @param noise for bundles that take the noise.
     * @param levels of the capture where they are not the bundle's sensor's.
     * @return the denoised mosaic in the capture's own levels and pattern.
     * @throws UserMessage for a gain, noise or size that is not allowed.
     * @throws CancellationException when [progress] says not to go on.
     */
    fun denoise(
        capture: Mosaic,
        gain: Double? = null,
        noise: Noise? = null,
        levels: Levels = manifest.levels,
        progress: Progress = Progress { _, _ -> true },
    ): Mosaic {
        val out = ShortArray(capture.height * capture.width)
        denoise(capture, gain, noise, levels, progress) { row, left, samples, count ->
            for (index in 0 until count) {
                out[row * capture.width + left + index] = wholeDn(samples[index], levels.white).toShort()
            }
        }
        return Mosaic(capture.height, capture.width, capture.cfa, out)
    }

    /** The same, handing the result's float DN to [sink] row by row of each tile. */
    fun denoise(
        capture: Mosaic, gain: Double?, noise: Noise?, levels: Levels, progress: Progress, sink: Sink,
    ) {
        val scalars = scalars(gain, noise)
        val plan = FramePlan.of(manifest, capture.height, capture.width, capture.cfa, tile)
        val same = levels == manifest.levels
        val enter = if (same) null else SampleConversion { dn, plane -> levels.convert(dn, plane, manifest.levels) }
        for ((index, tile) in plan.tiles.withIndex()) {
            val (height, width) = tile.rows.size to tile.cols.size
            if (buffer.capacity() != height * width) buffer = directFloats(height * width)
            plan.read(capture, tile, buffer, enter)
            val result = model.run(buffer, height, width, scalars)
            keep(plan, tile, result, if (same) null else levels, capture.cfa, sink)
            if (!progress.goOn(index + 1, plan.tiles.size)) throw CancellationException("cancelled")
        }
    }

    private fun keep(plan: FramePlan, tile: Tile, result: FloatBuffer, levels: Levels?, cfa: Cfa, sink: Sink) {
        val place = plan.written(tile)
        val line = FloatArray(place.width)
        for (row in place.top until place.bottom) {
            val tileRow = row + plan.padding.originRow - tile.rows.start
            result.position(tileRow * tile.cols.size + place.left + plan.padding.originCol - tile.cols.start)
            result.get(line)
            if (levels != null) {
                for (index in line.indices) {
                    line[index] = manifest.levels.convert(line[index], cfa.plane(row, place.left + index), levels)
                }
            }
            sink.row(row, place.left, line, line.size)
        }
    }

    private fun scalars(gain: Double?, noise: Noise?): FloatArray {
        if (!manifest.takesNoise) return floatArrayOf(checkedGain(gain).toFloat())
        if (noise == null) {
            throw UserMessage(
                "bundle ${manifest.name} takes the noise and the capture has no noise profile: give a and b, " +
                    "or use a bundle whose selector is the gain",
            )
        }
        if (!(noise.a.isFinite() && noise.b.isFinite() && noise.a > 0 && noise.b >= 0)) {
            throw UserMessage("noise a=${noise.a}, b=${noise.b} was given; allowed are a > 0 and b >= 0")
        }
        return floatArrayOf(noise.a.toFloat(), noise.b.toFloat())
    }

    /** Index of the member that a capture gets. */
    fun member(gain: Double?, noise: Noise?): Int {
        val a = if (manifest.takesNoise) scalars(gain, noise)[0] else manifest.sensor.aFloat32(scalars(gain, noise)[0])
        return selectMember(a, manifest.edges)
    }

    private fun checkedGain(gain: Double?): Double {
        if (gain == null) {
            throw UserMessage("bundle ${manifest.name} selects by gain and none is known: enter the gain, 1 = base")
        }
        if (!(gain.isFinite() && gain > 0)) {
            throw UserMessage("gain $gain was given; allowed are numbers above 0, 1 being the base gain: enter another")
        }
        return gain
    }

    companion object {
        /**
         * A tile with about a quarter of the memory of the bundle's own, where its shape is not fixed; the
         * result is the same, the halos cost more.
         */
        fun smallTile(manifest: Manifest): Pair<Int, Int> {
            if (manifest.fixedShape) return manifest.tile
            // Twice the halo is a multiple of the stride, so the least is one as well.
            val least = 2 * manifest.halo + manifest.stride
            fun half(side: Int) = minOf(side, maxOf(side / 2 / manifest.stride * manifest.stride, least))
            return half(manifest.tile.first) to half(manifest.tile.second)
        }

        /** Native memory in the machine's byte order, which the runtimes take without a copy. */
        fun directFloats(count: Int): FloatBuffer =
            ByteBuffer.allocateDirect(4 * count).order(ByteOrder.nativeOrder()).asFloatBuffer()
    }
}
