"""Recipes: everything that decides a run, validated, in one TOML file."""

from barkhausen.experiment.recipe.dataset import DatasetRecipe as DatasetRecipe
from barkhausen.experiment.recipe.device import DeviceRecipe as DeviceRecipe
from barkhausen.experiment.recipe.device import Preset as Preset
from barkhausen.experiment.recipe.devices import build_device as build_device
from barkhausen.experiment.recipe.devices import device_file as device_file
from barkhausen.experiment.recipe.reading import load_recipe as load_recipe
from barkhausen.experiment.recipe.reading import recipe_from as recipe_from
from barkhausen.experiment.recipe.reading import replace_device as replace_device
from barkhausen.experiment.recipe.reading import with_device_defaults as with_device_defaults
from barkhausen.experiment.recipe.recipe import USUAL_TABLES as USUAL_TABLES
from barkhausen.experiment.recipe.recipe import Recipe as Recipe
from barkhausen.experiment.recipe.tables import DecayRecipe as DecayRecipe
from barkhausen.experiment.recipe.tables import EnergyRecipe as EnergyRecipe
from barkhausen.experiment.recipe.tables import FaultsRecipe as FaultsRecipe
from barkhausen.experiment.recipe.tables import TransferRecipe as TransferRecipe
