"""One build, from an uploaded file to a report. The clean parent: it parses no byte of a tenant.

inspect   locked process: format, version, imports, without loading
load      locked process of the scikit-learn that wrote the file: unpickles once, lowers to a draft
          plan, asks scikit-learn at probe rows
verify    fresh locked process: builds the plan, compares, measures, writes the plan file
"""

import asyncio
import logging
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from controlplane.builder import validate
from controlplane.builder.environments import Environments, Tell
from controlplane.builder.explain import Failure, failure_of, suspicious
from controlplane.builder.loaders import Loaders, Pythons, packages_of
from controlplane.builder.needs import Asked, Recipe, needs_of
from controlplane.builder.report import Limits, Outcome, Report, SandboxPolicy
from controlplane.builder.uv import Unavailable
from controlplane.builder.warm import Ended, Warm, WarmError
from runtime.plan import Cost, PlanError, load
from runtime.plan.signature import Signature, from_json

_CONCURRENT: Final = 2

log = logging.getLogger("kubeserve.builds")


@dataclass(frozen=True, slots=True)
class Order:
    """Whose version is built.

    tenant  wheels that come with a model are installed for this one alone
    recipe  what an earlier build of the same version resolved, which this one takes too
    """

    tenant: str = ""
    recipe: Recipe | None = None


class Builder:
    """Builds uploads, keeping a warm process so that a small model takes well under a second.

    pandas        have the warm process import it; one that builds once had better not
    process       a warm process that was begun before; closed with the builder
    environments  of other scikit-learn versions on this machine; None: their models are refused
    pythons       what gives them elsewhere, in place of `environments`
    """

    def __init__(
        self,
        limits: Limits,
        *,
        warm: bool = True,
        pandas: bool = True,
        environments: Environments | None = None,
        pythons: Pythons | None = None,
        process: Warm | None = None,
    ) -> None:
        self.limits, self._keep_warm = limits, warm
        self.warm = process or Warm(pandas=pandas)
        if environments is not None:
            pythons = packages_of(environments, limits)
        self.loaders = Loaders(self.warm, pythons, pandas=pandas)
        self._free = asyncio.Semaphore(_CONCURRENT)

    async def start(self) -> None:
        """Import scikit-learn in the warm process now; without this the first build does."""
        if self._keep_warm:
            await self.warm.start()

    async def build(
        self, source: Path, work: Path, tell: Tell | None = None, order: Order | None = None
    ) -> Report:
        """Build the file `source` in the folder `work`, which the caller deletes afterwards.

        Never raises for a bad model; WarmError when the host cannot build at all. `tell` is told
        in words what takes long.
        """
        order = order or Order()
        async with self._free:
            started = time.perf_counter()
            try:
                run, report = await self._run(source, work, tell, order)
            except WarmError:  # it died, not for the model: once more in a new one
                run, report = await self._run(source, work, tell, order)
            run.facts["seconds"]["total"] = round(time.perf_counter() - started, 4)
            if self.limits.sandbox is SandboxPolicy.DEGRADED:
                log.warning("built with KUBESERVE_SANDBOX=degraded, held by %s", report.sandbox)
            return report

    async def _run(
        self, source: Path, work: Path, tell: Tell | None, order: Order
    ) -> "tuple[_Run, Report]":
        run = _Run(self, source, work, tell, order)
        try:
            return run, await run.report()
        finally:
            run.clean()

    async def close(self) -> None:
        """End the warm processes and every build."""
        await self.loaders.close()
        await self.warm.close()


async def build(
    source: Path, work: Path, limits: Limits, environments: Environments | None = None
) -> Report:
    """Build one file without keeping anything warm; never raises for a bad model."""
    builder = Builder(limits, warm=False, environments=environments)
    try:
        return await builder.build(source, work)
    finally:
        await builder.close()


class _Run:
    """One build: its folder, and what is known so far."""

    def __init__(
        self, builder: Builder, source: Path, work: Path, tell: Tell | None, order: Order
    ) -> None:
        self._builder, self._limits, self._order = builder, builder.limits, order
        self._source, self._work, self._tell = source, work, tell
        self._recipe = order.recipe
        self.facts: dict[str, Any] = {"seconds": {}}

    async def report(self) -> Report:
        try:
            return await self._steps()
        except Failure as failure:
            return Report(
                Outcome.FAILED, reason=failure.reason, advice=failure.advice, **self.facts
            )

    def clean(self) -> None:
        """Remove every role's folder; the checked plan lies above them."""
        for role in ("inspect", "load", "verify"):
            shutil.rmtree(self._work / role, ignore_errors=True)

    async def _steps(self) -> Report:
        loaded = await self._loaded(plan=True)
        if loaded.get("plan") is not True:
            return self._fallback(validate.text(loaded, "fallback_because"), loaded)
        draft = self._plain("load", "draft", self._limits.file_bytes)
        try:
            checked = await self._role("verify", [draft], self._provenance())
        finally:
            os.close(draft)
        refused = validate.text(checked, "refused")
        if refused is not None:
            # The draft does not answer as scikit-learn does: how is it served without?
            for role in ("inspect", "load"):
                shutil.rmtree(self._work / role)
            loaded = await self._loaded(plan=False)
            return self._fallback(f"the plan was refused: {refused}", loaded)
        return self._planned(checked)

    async def _loaded(self, *, plan: bool) -> dict[str, Any]:
        """Look into the file, and load it with the scikit-learn that wrote it and no other."""
        source = os.open(self._source, os.O_RDONLY | os.O_CLOEXEC)
        files = [source]
        try:
            limits = {"most": self._limits.decompressed_bytes, "ratio": self._limits.ratio}
            found = await self._role("inspect", files, limits)
            bundled, compressed = "bundle" in found, isinstance(found.get("compression"), str)
            if bundled or compressed:
                name = "raw" if compressed else "model"
                files.insert(0, self._plain("inspect", name, self._limits.decompressed_bytes))
            return await self._load(found, files if bundled else files[:1], plan=plan)
        except Unavailable as error:
            raise Failure(error.reason, error.advice) from error
        finally:
            for descriptor in files:
                os.close(descriptor)

    async def _load(
        self, found: dict[str, Any], files: Sequence[int], *, plan: bool
    ) -> dict[str, Any]:
        try:
            needs = needs_of(found)
        except validate.Untrusted as error:
            raise suspicious(str(error), self.facts.get("imports", ())) from error
        asked = Asked(
            frozenset(validate.names(found, "versions")),
            needs,
            self._order.tenant,
            self._source,
            self._recipe,
        )
        started = time.perf_counter()
        async with self._builder.loaders.loader(asked, self._tell) as loader:
            self.facts["seconds"]["prepare"] = round(time.perf_counter() - started, 4)
            if loader.recipe is not None:
                self._recipe = loader.recipe
                self.facts["environment"] = loader.recipe.to_json()
                self.facts["sklearn_version"] = loader.recipe.sklearn
            arguments = {"plan": plan, "packages": loader.packages}
            return await self._role("load", files, arguments, loader.warm)

    async def _role(
        self,
        role: str,
        files: Sequence[int],
        arguments: dict[str, Any],
        warm: Warm | None = None,
    ) -> dict[str, Any]:
        started = time.perf_counter()
        folder = self._work / role
        warm = warm or self._builder.warm
        ended = await warm.run(role, files, folder, arguments, self._limits)
        self.facts["seconds"][role] = round(time.perf_counter() - started, 4)
        result = self._result(folder, ended)
        self._remember(result, ended)
        failure = failure_of(role, ended, result, self._limits, self.facts.get("imports", ()))
        if failure is not None:
            raise failure
        return result

    def _result(self, folder: Path, ended: Ended) -> dict[str, Any]:
        if ended.status != 0 or ended.stopped:
            return {}
        try:
            return validate.read_result(folder)
        except validate.Untrusted:
            return {}

    def _remember(self, result: dict[str, Any], ended: Ended) -> None:
        facts = self.facts
        imports = (*facts.get("imports", ()), *validate.names(result, "imports"))
        facts["imports"] = tuple(dict.fromkeys(imports))[:500]
        layers = validate.names(result, "sandbox")
        if layers:
            facts["sandbox"] = layers
        versions = validate.names(result, "versions")
        if versions:
            facts["sklearn_version"] = versions[0]
        estimator = validate.text(result, "estimator", 400)
        if estimator:
            facts["estimator"] = estimator
        facts["output"] = (facts.get("output", "") + ended.output)[: self._limits.output_bytes]

    def _plain(self, role: str, name: str, most: int) -> int:
        try:
            return validate.open_plain(self._work / role / name, most)
        except validate.Untrusted as error:
            raise suspicious(str(error), self.facts.get("imports", ())) from error

    def _provenance(self) -> dict[str, Any]:
        return {
            "sklearn_version": self.facts.get("sklearn_version"),
            "estimator": self.facts.get("estimator"),
        }

    def _fallback(self, because: str | None, loaded: dict[str, Any]) -> Report:
        return Report(
            Outcome.FALLBACK,
            fallback_because=because or "it has no plan",
            signature=self._signature(loaded),
            **self.facts,
        )

    def _planned(self, checked: dict[str, Any]) -> Report:
        """Take the plan file over: a copy of ours, read once more by the runtime's own reader."""
        descriptor = self._plain("verify", "plan", self._limits.file_bytes)
        path = self._work / "plan"
        with os.fdopen(descriptor, "rb") as file, path.open("xb") as own:
            shutil.copyfileobj(file, own, 1 << 20)
            own.flush()
            os.fsync(own.fileno())
        try:
            plan = load(path)
        except PlanError as error:
            raise suspicious(f"the plan is not one: {error}", ()) from error
        return Report(
            Outcome.PLAN,
            signature=plan.signature,
            cost=Cost(plan.cost.c0_us, plan.cost.c1_us),
            exactness=validate.text(checked, "exactness", 20),
            families=validate.names(checked, "families"),
            plan_path=path,
            **self.facts,
        )

    def _signature(self, loaded: dict[str, Any]) -> Signature:
        try:
            return from_json(loaded["signature"])
        except (ValueError, KeyError) as error:
            raise suspicious("its signature is not one", self.facts["imports"]) from error
