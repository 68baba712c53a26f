package org.famobile.app

import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.BatteryManager
import android.os.Build
import android.os.PowerManager
import org.famobile.core.PhoneFacts
import org.famobile.core.PhoneState
import java.io.File

/** What Android tells of the phone and of its condition. */
class Phone(private val context: Context) {

    fun state(): PhoneState {
        val battery: Intent? = context.registerReceiver(null, IntentFilter(Intent.ACTION_BATTERY_CHANGED))
        fun extra(name: String): Int? = battery?.getIntExtra(name, -1)?.takeIf { it >= 0 }
        val level = extra(BatteryManager.EXTRA_LEVEL)
        val scale = extra(BatteryManager.EXTRA_SCALE)
        return PhoneState(
            charging = extra(BatteryManager.EXTRA_PLUGGED)?.let { it != 0 },
            lowPowerMode = power.isPowerSaveMode,
            batteryC = extra(BatteryManager.EXTRA_TEMPERATURE)?.let { it / 10.0 },
            batteryPercent = if (level != null && scale != null && scale > 0) 100.0 * level / scale else null,
            thermal = thermal(),
        )
    }

    /** Android's word for how far it is throttling; null before Android 10, which has none. */
    fun thermal(): String? {
        if (Build.VERSION.SDK_INT < 29) return null
        // By name, so that it also compiles against the API level that CI's android.jar has.
        val status = PowerManager::class.java.getMethod("getCurrentThermalStatus").invoke(power) as Int
        return THERMAL.getOrElse(status) { "status $status" }
    }

    fun facts(runtimes: Map<String, String>) = PhoneFacts(
        maker = Build.MANUFACTURER.ifEmpty { "unknown" },
        model = Build.MODEL.ifEmpty { "unknown" },
        soc = soc(),
        os = "Android ${Build.VERSION.RELEASE}",
        cores = Runtime.getRuntime().availableProcessors(),
        flags = flags(),
        appVersion = context.packageManager.getPackageInfo(context.packageName, 0).versionName ?: "unknown",
        abi = Build.SUPPORTED_ABIS.firstOrNull(),
        runtimes = runtimes,
    )

    /** Android 12 tells it; before, the board's name is the closest. */
    private fun soc(): String? {
        if (Build.VERSION.SDK_INT < 31) return Build.HARDWARE.ifEmpty { null }
        fun field(name: String) = Build::class.java.getField(name).get(null) as? String
        return listOfNotNull(field("SOC_MANUFACTURER"), field("SOC_MODEL")).joinToString(" ").ifEmpty { null }
    }

    private fun flags(): List<String> {
        val lines = runCatching { File("/proc/cpuinfo").readLines() }.getOrDefault(emptyList())
        val present = lines.firstOrNull { it.startsWith("Features") }?.substringAfter(':')?.trim()?.split(' ').orEmpty()
        return FLAGS.filter { it in present }
    }

    private val power get() = context.getSystemService(Context.POWER_SERVICE) as PowerManager

    private companion object {
        val THERMAL = listOf("none", "light", "moderate", "severe", "critical", "emergency", "shutdown")

        /** Those for which the runtimes have convolution kernels of their own, as in fa_mobile/bench/device.py. */
        val FLAGS = listOf("asimd", "asimddp", "asimdhp", "i8mm", "bf16", "sve", "sve2", "sme")
    }
}
