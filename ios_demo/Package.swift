// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "RawDenoise",
  platforms: [.iOS(.v17), .macOS(.v14)],
  products: [
    .library(name: "RawDenoise", targets: ["RawDenoise"])
  ],
  targets: [
    .target(name: "RawDenoise"),
    .testTarget(name: "RawDenoiseTests", dependencies: ["RawDenoise"]),
  ]
)
