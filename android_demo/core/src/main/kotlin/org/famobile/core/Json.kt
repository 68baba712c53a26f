package org.famobile.core

/**
 * A strict reader of JSON (RFC 8259), because a bundle comes from outside and its numbers are
 * compared bit by bit: names that stand twice, NaN, trailing text and deep nesting are refused.
 * Objects become [Map], arrays [List], numbers [Double], and null stays null.
 */
class JsonReader private constructor(private val text: String) {
    private var at = 0

    private fun document(): Any? {
        val value = value(0)
        skipSpace()
        if (at < text.length) fail("text after the end")
        return value
    }

    private fun value(depth: Int): Any? {
        if (depth > MAX_DEPTH) fail("nesting deeper than $MAX_DEPTH")
        skipSpace()
        return when (peek()) {
            '{' -> members(depth)
            '[' -> items(depth)
            '"' -> string()
            't' -> word("true", true)
            'f' -> word("false", false)
            'n' -> word("null", null)
            else -> number()
        }
    }

    private fun members(depth: Int): Map<String, Any?> {
        val found = LinkedHashMap<String, Any?>()
        take('{')
        if (isNext('}')) return found
        do {
            skipSpace()
            val name = string()
            take(':')
            if (name in found) fail("the name '$name' stands twice")
            found[name] = value(depth + 1)
        } while (isNext(','))
        take('}')
        return found
    }

    private fun items(depth: Int): List<Any?> {
        val found = ArrayList<Any?>()
        take('[')
        if (isNext(']')) return found
        do found.add(value(depth + 1)) while (isNext(','))
        take(']')
        return found
    }

    private fun string(): String {
        if (peek() != '"') fail("a string is expected")
        at++
        val out = StringBuilder()
        while (true) {
            val char = peek()
            at++
            when {
                char == '"' -> return out.toString()
                char == '\\' -> out.append(escaped())
                char < ' ' -> fail("a control character in a string")
                else -> out.append(char)
            }
        }
    }

    private fun escaped(): Char {
        val char = peek()
        at++
        return when (char) {
            '"', '\\', '/' -> char
            'b' -> '\b'
            'f' -> '\u000C'
            'n' -> '\n'
            'r' -> '\r'
            't' -> '\t'
            'u' -> {
                val digits = text.substring(at, minOf(at + 4, text.length))
                if (!Regex("[0-9a-fA-F]{4}").matches(digits)) fail("'\\u$digits' is no character")
                at += 4
                digits.toInt(16).toChar()
            }
            else -> fail("'\\$char' is no escape")
        }
    }

    private fun number(): Double {
        val start = at
        while (at < text.length && text[at] in NUMBER_CHARS) at++
        val found = text.substring(start, at)
        if (!NUMBER.matches(found)) fail("'${found.ifEmpty { peek().toString() }}' is no value")
        val number = found.toDouble()
        if (number.isInfinite()) fail("$found is too large")
        return number
    }

    private fun <T> word(word: String, value: T): T {
        if (!text.startsWith(word, at)) fail("'$word' is expected")
        at += word.length
        return value
    }

    private fun isNext(char: Char): Boolean {
        skipSpace()
        val found = peek() == char
        if (found) at++
        return found
    }

    private fun take(char: Char) {
        skipSpace()
        if (peek() != char) fail("'$char' is expected")
        at++
    }

    private fun peek(): Char = if (at < text.length) text[at] else fail("it ends too early")

    private fun skipSpace() {
        while (at < text.length && text[at] in " \t\n\r") at++
    }

    private fun fail(what: String): Nothing =
        throw UserMessage("not JSON: $what, at character $at")

    companion object {
        private const val MAX_DEPTH = 32
        private const val NUMBER_CHARS = "+-.0123456789eE"
        private val NUMBER = Regex("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?")

        /** The value of a whole document. */
        fun parse(text: String): Any? = JsonReader(text).document()
    }
}

/** [value] (maps, lists, strings, numbers, booleans, null) as JSON; whole numbers stay whole. */
fun toJson(value: Any?): String = when (value) {
    null -> "null"
    is Map<*, *> -> value.entries.joinToString(",", "{", "}") { "${quoted(it.key)}:${toJson(it.value)}" }
    is Iterable<*> -> value.joinToString(",", "[", "]") { toJson(it) }
    is Number -> {
        require(value.toDouble().isFinite()) { "$value cannot be written as JSON" }
        value.toString()
    }
    is Boolean -> value.toString()
    else -> quoted(value)
}

private fun quoted(value: Any?): String {
    val out = StringBuilder("\"")
    for (char in value.toString()) {
        when {
            char == '"' || char == '\\' -> out.append('\\').append(char)
            char < ' ' -> out.append(String.format("\\u%04x", char.code))
            else -> out.append(char)
        }
    }
    return out.append('"').toString()
}
