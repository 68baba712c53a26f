package org.famobile.core

/** The members of a JSON object, read with their types; a wrong one is named with its place. */
class Fields private constructor(private val members: Map<String, Any?>, private val place: String) {

    /** Refuse members that are not in [names]: a typing error must not pass as an absent value. */
    fun only(vararg names: String): Fields {
        val unknown = members.keys - names.toSet()
        if (unknown.isNotEmpty()) throw wrong(unknown.first(), "is unknown here")
        return this
    }

    fun string(name: String): String =
        required(name) as? String ?: throw wrong(name, "must be a string")

    /** One of [allowed]. */
    fun word(name: String, vararg allowed: String): String = string(name).also {
        if (it !in allowed) throw wrong(name, "is '$it', allowed are ${allowed.joinToString()}")
    }

    fun boolean(name: String): Boolean =
        required(name) as? Boolean ?: throw wrong(name, "must be true or false")

    fun number(name: String): Double =
        required(name) as? Double ?: throw wrong(name, "must be a number")

    fun numberOrNull(name: String): Double? =
        if (name in members && members[name] == null) null else number(name)

    /** A whole number of at least [least]. */
    fun int(name: String, least: Int = 0): Int = whole(required(name), name, least)

    fun numbers(name: String, count: Int? = null): List<Double> = list(name).map {
        it as? Double ?: throw wrong(name, "must hold numbers")
    }.also {
        if (count != null && it.size != count) throw wrong(name, "must hold $count numbers")
    }

    fun ints(name: String, count: Int? = null, least: Int = 0): List<Int> =
        list(name).map { whole(it, name, least) }.also {
            if (count != null && it.size != count) throw wrong(name, "must hold $count numbers")
        }

    fun strings(name: String): List<String> = list(name).map {
        it as? String ?: throw wrong(name, "must hold strings")
    }

    /** Rows of whole numbers, for example of a mosaic. */
    fun rows(name: String): List<List<Int>> = list(name).mapIndexed { index, row ->
        (row as? List<*> ?: throw wrong("$name[$index]", "must be a list"))
            .map { whole(it, "$name[$index]", Int.MIN_VALUE) }
    }

    fun list(name: String): List<Any?> =
        required(name) as? List<*> ?: throw wrong(name, "must be a list")

    fun objects(name: String): List<Fields> =
        list(name).mapIndexed { index, value -> of(value, "$place$name[$index].") }

    fun child(name: String): Fields = of(required(name), "$place$name.")

    /** The member names with numbers as values, such as the counts of operators. */
    fun counts(name: String): Map<String, Int> {
        val inner = child(name)
        return inner.members.mapValues { whole(it.value, "$name.${it.key}", 0) }
    }

    fun wrong(name: String, what: String) = UserMessage("$place$name $what")

    private fun required(name: String): Any? {
        if (name !in members) throw wrong(name, "is missing")
        return members[name]
    }

    private fun whole(value: Any?, name: String, least: Int): Int {
        val number = value as? Double
        if (number == null || number != Math.rint(number) || number < least || number > Int.MAX_VALUE) {
            throw wrong(name, "must be a whole number" + if (least > Int.MIN_VALUE) " from $least" else "")
        }
        return number.toInt()
    }

    companion object {
        fun of(value: Any?, place: String = ""): Fields {
            val members = value as? Map<*, *> ?: throw UserMessage("${place.ifEmpty { "it " }}must be an object")
            @Suppress("UNCHECKED_CAST") // JsonReader makes objects with strings as names
            return Fields(members as Map<String, Any?>, place)
        }
    }
}
