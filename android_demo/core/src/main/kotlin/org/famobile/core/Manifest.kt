package org.famobile.core

/** One input and the float reference's output; the files are headerless and little-endian. */
class GoldenVector(
    val name: String,
    val height: Int,
    val width: Int,
    val gain: Double?,
    val noise: Noise,
    val member: Int,
    val raw: String,
    val reference: String,
    val truth: String,
)

/** How far golden outputs may be from the float reference; see docs/bundles.md. */
class Tolerance(val maxAbsDn: Double?, val maxNoiseRatio: Double, val maxPsnrLossDb: Double)

class NetworkFacts(
    val name: String,
    val members: Int,
    val gmacsPerMp: Double,
    val executedGmacsPerMp: Double,
)

/** `manifest.json`: what a bundle says of itself. */
class Manifest private constructor(f: Fields) {
    val name = f.string("name")
    val target = f.word("target", "executorch", "onnx", "coreml")
    val precision = f.word("precision", "fp32", "fp16", "int8")
    val takesNoise = f.word("selector", "gain", "noise-profile") == "noise-profile"
    val files = f.strings("files").onEach { checkName(it) }
    val sensor = SensorProfile.of(f.child("sensor"))
    val edges = f.numbers("edges")
    val stride = f.int("stride", 2)
    val halo = f.int("halo")
    val tile = f.ints("tile", 2, 2).let { (rows, cols) -> rows to cols }
    val minSide = f.int("min_side", 2)
    val fixedShape = f.boolean("fixed_shape")
    val modelBytes = f.int("model_bytes", 1)
    val delegated = f.counts("delegated").values.sum()
    val undelegated = f.counts("undelegated").values.sum()
    val plannedMemoryBytes = f.numberOrNull("planned_memory_bytes")?.toLong()
    val network = f.child("network").let {
        NetworkFacts(
            it.string("name"), it.int("members", 1), it.number("gmacs_per_mp"), it.number("executed_gmacs_per_mp"),
        )
    }
    val tolerance = f.child("tolerance").let {
        Tolerance(it.numberOrNull("max_abs_dn"), it.number("max_noise_ratio"), it.number("max_psnr_loss_db"))
    }
    val golden = f.objects("golden").map { vector(it) }
    val selection = f.list("selection").map { pair ->
        val (value, member) = (pair as? List<*>)?.takeIf { it.size == 2 && it.all { part -> part is Double } }
            ?: throw f.wrong("selection", "must hold pairs of numbers")
        (value as Double) to (member as Double).toInt()
    }

    /** What a mosaic is mirrored to at least, in (rows, columns). */
    val minimum = if (fixedShape) tile else minSide to minSide

    val levels = Levels(sensor.blackLevel, sensor.whiteLevel)

    init {
        if (files.isEmpty()) throw f.wrong("files", "must name the model")
        if (stride % 2 != 0) throw f.wrong("stride", "must be even")
        planFrame(tile.first, tile.second, tile, halo, stride) // refuses a geometry that cannot be tiled
    }

    companion object {
        const val FILE = "manifest.json"
        const val SCHEMA = 2
        private val FIELDS = arrayOf(
            "schema_version", "name", "target", "precision", "selector", "files", "call", "inputs", "outputs",
            "sensor", "edges", "stride", "halo", "tile", "min_side", "fixed_shape", "network", "model_bytes",
            "float_islands", "delegated", "undelegated", "planned_memory_bytes", "tolerance", "golden",
            "selection", "checkpoint", "checkpoint_sha256", "tool_versions",
        )
        private val NAME = Regex("[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*(/[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*)*")

        /** @throws UserMessage for another schema, and for fields that are missing, wrong or unknown. */
        fun parse(text: String): Manifest = inFile(FILE) {
            val fields = Fields.of(JsonReader.parse(text))
            val version = fields.int("schema_version")
            if (version != SCHEMA) {
                throw UserMessage("it has schema version $version, this app reads $SCHEMA")
            }
            Manifest(fields.only(*FIELDS))
        }

        /** A path below the bundle: no leading slash, no "..". */
        fun checkName(name: String) {
            if (!NAME.matches(name) || name.length > 200) {
                throw UserMessage("'$name' is not a file name below the bundle")
            }
        }

        private fun vector(f: Fields) = GoldenVector(
            f.string("name"), f.int("height", 2), f.int("width", 2), f.numberOrNull("gain"),
            Noise(f.number("a"), f.number("b")), f.int("member"), f.string("raw"), f.string("reference"),
            f.string("truth"),
        ).also { listOf(it.raw, it.reference, it.truth).forEach(::checkName) }
    }
}

/** Say which file of a bundle is wrong, and what to do. */
internal fun <T> inFile(name: String, read: () -> T): T = try {
    read()
} catch (error: UserMessage) {
    throw UserMessage("$name: ${error.message}; export the bundle again with this version's fa-mobile", error)
}
