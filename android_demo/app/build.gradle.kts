import org.jetbrains.kotlin.gradle.dsl.JvmTarget

plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

/** Puts the bundle of -Pbundle=FOLDER below the app's assets; a wrong folder fails the build. */
abstract class BundleAssets : DefaultTask() {
    @get:InputDirectory
    @get:PathSensitive(PathSensitivity.RELATIVE)
    abstract val bundle: DirectoryProperty

    @get:OutputDirectory
    abstract val output: DirectoryProperty

    @TaskAction
    fun copy() {
        val from = bundle.get().asFile
        val table = from.resolve("golden/table.json")
        if (!table.isFile) throw GradleException("$from has no golden/table.json: give a bundle that 'fa-mobile export' wrote, -Pbundle=FOLDER")
        val to = output.get().asFile.resolve("bundle")
        to.deleteRecursively()
        from.copyRecursively(to)
    }
}

val bundleAssets = tasks.register<BundleAssets>("bundleAssets") {
    val given = providers.gradleProperty("bundle").getOrElse("../../dist/imx258-executorch-int8")
    bundle = layout.projectDirectory.dir(given)
}

android {
    namespace = "org.famobile.app"
    compileSdk = 35
    defaultConfig {
        applicationId = "org.famobile.app"
        minSdk = 26
        targetSdk = 35
        versionCode = 1
        versionName = "0.1.0"
        ndk { abiFilters += "arm64-v8a" }
    }
    buildTypes {
        // The runtimes' classes are named by their native code; the app is small without shrinking.
        release { isMinifyEnabled = false }
    }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_11
        targetCompatibility = JavaVersion.VERSION_11
    }
    packaging { jniLibs.useLegacyPackaging = false } // stored, mapped from the APK
}

kotlin {
    compilerOptions { jvmTarget = JvmTarget.JVM_11 }
}

androidComponents {
    onVariants { it.sources.assets?.addGeneratedSourceDirectory(bundleAssets, BundleAssets::output) }
}

dependencies {
    implementation(project(":core"))
    implementation(project(":engine"))
}
