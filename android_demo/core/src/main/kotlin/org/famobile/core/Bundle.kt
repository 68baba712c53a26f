package org.famobile.core

import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * A bundle that is whole: every file has its hash, the manifest is understood, and this code
 * computes what the golden table says.
 */
class Bundle private constructor(val files: BundleFiles, val manifest: Manifest, val table: GoldenTable.Replayed) {

    /** Raw DN, float reference and ground truth of a golden vector. */
    fun golden(vector: GoldenVector): GoldenData {
        val count = vector.height * vector.width
        val raw = numbers(vector.raw, count, 2)
        val samples = ShortArray(count).also { raw.asShortBuffer().get(it) }
        return GoldenData(
            Mosaic(vector.height, vector.width, Cfa.RGGB, samples),
            floats(vector.reference, count),
            floats(vector.truth, count),
        )
    }

    private fun floats(name: String, count: Int): FloatArray =
        FloatArray(count).also { numbers(name, count, 4).asFloatBuffer().get(it) }

    private fun numbers(name: String, count: Int, bytes: Int): ByteBuffer {
        val data = files.bytes(name)
        if (data.size != count * bytes) {
            throw UserMessage("$name has ${data.size} bytes instead of ${count * bytes}; export the bundle again")
        }
        return ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN)
    }

    companion object {
        /** @throws UserMessage for a bundle that is damaged, of another schema, or of another rule. */
        fun open(files: BundleFiles): Bundle {
            if (Manifest.FILE !in files.names()) {
                throw UserMessage("there is no ${Manifest.FILE}: give a folder that 'fa-mobile export' wrote")
            }
            val manifest = Manifest.parse(files.text(Manifest.FILE))
            checkSums(files)
            return Bundle(files, manifest, GoldenTable.replay(files, manifest))
        }
    }
}

/** A golden vector's contents; see [Bundle.golden]. */
class GoldenData(val raw: Mosaic, val reference: FloatArray, val truth: FloatArray)
