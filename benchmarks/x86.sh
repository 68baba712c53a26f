#!/bin/sh
# Every report of benchmarks/results and benchmarks/parts that this machine can write, in half an
# hour. Nothing else should run meanwhile: first everything is exported, then everything is timed.
# Needs dist/ (make demo). ARM counts come last, where FA_MOBILE_ARM has the tools (make arm-test).
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin
ours=dist/imx258-executorch-int8
bench() {
    name=$1
    shift
    echo "$(date +%T) $name"
    "$bin/fa-mobile" bench "$@" --output "benchmarks/results/$name.json" > /dev/null
}

# Whether a bundle was exported after ours was, and so by the same checkout.
current() { [ "$1/manifest.json" -nt "$ours/manifest.json" ]; }

current build/untiled/imx258-executorch-int8 ||
    "$bin/fa-mobile" export --only executorch-int8 --tile 3120 4208 --output build/untiled
current build/small/imx258-onnx-int8 ||
    "$bin/fa-mobile" export --only executorch-int8 --only onnx-int8 --tile 512 512 --output build/small
for peer in build/peers/*x*/*; do
    current "$peer" || rm -rf "$peer"
done
# Peers and the ceiling's chains are exported when they are first asked for: not before a race.
"$bin/fa-mobile" bench "$ours" mobile pmrid-onnx-int8 pmrid-onnx-fp32 paper plain naive --vs pmrid \
    --threads 1 --rounds 5 --output build/first.json > /dev/null

bench x86-1-thread "$ours" dist/imx258-onnx-int8 pmrid-onnx-int8 pmrid-onnx-fp32 paper plain naive \
    --vs pmrid --threads 1 --rounds 12
# Without ONNX Runtime, whose threads go on spinning after a call, on the cores of the next.
bench x86-2-threads "$ours" paper plain naive --vs pmrid --threads 2 --rounds 16
for threads in 1 2; do
    s=$([ $threads = 1 ] || echo s)
    for gain in 2 5 40; do
        bench "x86-$threads-thread$s-gain-$gain" "$ours" --vs pmrid --threads $threads --rounds 12 \
            --no-ceiling --gain $gain
    done
    bench x86-selection-$threads-thread "$ours" --vs mobile --threads $threads --rounds 60 --no-ceiling
    bench x86-frame-$threads-thread "$ours" --vs build/untiled/imx258-executorch-int8 --frame \
        --threads $threads --rounds 25 --no-ceiling
    echo "$(date +%T) parts, $threads"
    "$bin/python" benchmarks/parts.py --threads $threads -o "benchmarks/parts/x86-$threads-thread$s.json"
done
if [ -e "${FA_MOBILE_ARM:-build/arm}/versions.json" ]; then
    bench x86-arm-counts build/small/imx258-executorch-int8 build/small/imx258-onnx-int8 \
        pmrid-onnx-int8 --vs pmrid --threads 1 --no-ceiling --arm cortex-a55 --arm cortex-a76
else
    echo "not run: x86-arm-counts, ${FA_MOBILE_ARM:-build/arm} has no QEMU; benchmarks/arm/setup.sh"
fi
